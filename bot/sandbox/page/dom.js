// Building the page. Content is only ever put in as text nodes, never parsed as HTML.

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return made;
}

export const button = (props, ...children) => el("button", { type: "button", ...props }, ...children);

// Only addresses a browser opens without running anything.
export function safeUrl(url) {
  if (!url) return "";
  if (url.startsWith("/control/media/")) return url;
  try {
    return ["http:", "https:"].includes(new URL(url).protocol) ? url : "";
  } catch {
    return "";
  }
}

export function anchor(url, props, ...children) {
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...props }, ...children);
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${Math.round(size / 1024)} kB` : `${(size / 1048576).toFixed(1)} MB`;
}

export function seconds(time) {
  const whole = Math.max(0, Math.round(Number.isFinite(time) ? time : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The same numbers from 0 to 1 for the same word: what is drawn must not change at each look.
export function seeded(word) {
  let state = 2166136261;
  for (const sign of String(word)) state = Math.imul(state ^ sign.codePointAt(0), 16777619);
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822507);
    state = Math.imul(state ^ (state >>> 13), 3266489909);
    return ((state ^= state >>> 16) >>> 0) / 4294967296;
  };
}
