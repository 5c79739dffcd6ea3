// Asking the gateway. A deed has an id of its own, so that asking again is no second deed.

export class LoggedOut extends Error {}
export class Failed extends Error {}

const API = "/console/api";
const pause = (ms) => new Promise((go) => setTimeout(go, ms));

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(60000), ...options });
  } catch {
    throw Object.assign(new Failed("The gateway cannot be reached."), { again: true });
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 && !path.endsWith("/login")) throw new LoggedOut(told.error);
  if (!answer.ok) throw Object.assign(new Failed(told.error || `The gateway answered ${answer.status}.`), { again: answer.status === 502 || answer.status === 503, status: answer.status, told });
  return { status: answer.status, told };
}

const post = (path, value) => call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });

export const look = async (name, query = {}) => (await call(`${API}/${name}?${new URLSearchParams(query)}`)).told;
// For what may be asked twice and is done once.
export async function change(name, value) {
  for (let tries = 0; ; tries += 1) {
    try {
      return (await post(`${API}/${name}`, value)).told;
    } catch (error) {
      if (!error.again || tries >= 3) throw error;
      await pause(500 * 2 ** tries);
    }
  }
}
export const login = async (account, password) => (await post("/console/login", { account, password })).told;
export const logout = () => post("/console/logout", {});
export const events = (conversation) => new EventSource(`${API}/events?${new URLSearchParams({ conversation })}`);

export async function upload(file, conversation) {
  const query = new URLSearchParams({ conversation, name: file.name });
  return (await call(`${API}/file?${query}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal: AbortSignal.timeout(600000) })).told;
}

// crypto.randomUUID is only there on https and localhost.
export function uuid() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// Has a deed done and returns its result, {ok, text, data}, however long it takes.
export async function deed(kind, conversation, { id = uuid(), text = "", args = {}, files = [] } = {}) {
  const wanted = { id, kind, conversation, text, args, files };
  for (let tries = 0; ; tries += 1) {
    try {
      let { status, told } = await post(`${API}/deed`, wanted);
      while (status === 202) {
        await pause(1000);
        ({ status, told } = await call(`${API}/deed?${new URLSearchParams({ id: told.id })}`));
      }
      return told.result || { ok: told.status === "done", text: "", data: {} };
    } catch (error) {
      if (!error.again || tries >= 5) throw error;
      await pause(500 * 2 ** tries);
    }
  }
}
