// The control API of the sandbox.

async function answered(answer) {
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error || `the sandbox answered ${answer.status}`);
  return data;
}

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  return answered(await fetch(`/control/${path}`, options));
}

export const post = (path, body) => call("POST", path, body);
export const get = (path, query = {}) => call("GET", `${path}?${new URLSearchParams(query)}`);
export const drop = (path, query = {}) => call("DELETE", `${path}?${new URLSearchParams(query)}`);

// Returns {url, type, mime, size, filename} of a file that can now be sent.
export async function upload(blob, name) {
  const headers = { "Content-Type": "application/octet-stream" };
  const path = `/control/files?${new URLSearchParams({ name })}`;
  return answered(await fetch(path, { method: "POST", headers, body: await blob.arrayBuffer() }));
}

// Calls `heard` with every event and `connected` with true or false; connects again for ever.
export function listen(heard, connected) {
  let delay = 250;
  const open = () => {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/control/events`);
    socket.addEventListener("open", () => {
      delay = 250;
      connected(true);
    });
    socket.addEventListener("message", (message) => heard(JSON.parse(message.data)));
    socket.addEventListener("close", () => {
      connected(false);
      setTimeout(open, delay);
      delay = Math.min(4000, delay * 2);
    });
  };
  open();
}
