// Building the page. Content is only ever put in as text nodes, never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  send: "M3 20.5 21 12 3 3.5v6.6l11 1.9-11 1.9z",
  arrow: "M12 4v14M5.5 10.5 12 4l6.5 6.5",
  clip: "M20 11.5 12 19.6a5 5 0 0 1-7.1-7.1l8.4-8.4a3.4 3.4 0 0 1 4.8 4.8l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6",
  camera: "M4 8h3.2l1.6-2.5h6.4L16.8 8H20v11H4zM12 16.6a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8",
  back: "M15 4.5 7.5 12l7.5 7.5",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  reply: "M10 8V4.5L3.5 11l6.5 6.5V14c5 0 8.2 1.6 10.5 5-.9-5-3.9-10-10.5-11z",
  list: "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
  link: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  close: "M6 6l12 12M18 6 6 18",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  video: "M3 7h12v10H3zM15 11l6-3.5v9L15 13",
  phone: "M6 3.5 9.5 8 8 10.5c1 2.6 2.9 4.5 5.5 5.5L16 14.5l4.5 3.5c-.5 2-2 3-4 3C9.500 20 4 14.500 3 7.500c0-2 1-3.500 3-4z",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.500 11h13v9.500h-13z",
  one: "M4.500 12.500 9 17 19 7",
  two: "M2 12.500 6.500 17 16 7M11.500 16 12.500 17 22 7",
  person: "M12 12a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM3.500 21c0-4.200 3.800-7 8.500-7s8.500 2.800 8.500 7",
  emoji: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 10v.01M15.500 10v.01M8 14.500c1 1.500 2.400 2.200 4 2.200s3-.7 4-2.200",
};

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon", `icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// Only addresses a browser opens without running anything.
export function safeUrl(url) {
  if (url.startsWith("/control/media/")) return url;
  try {
    return ["http:", "https:"].includes(new URL(url).protocol) ? url : "";
  } catch {
    return "";
  }
}

export function anchor(url, ...children) {
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

const URLS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

export function linked(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(URLS)) {
    const url = safeUrl(match[0]);
    if (!url) continue;
    parts.push(text.slice(at, match.index), anchor(url, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${Math.round(size / 1024)} kB` : `${(size / 1048576).toFixed(1)} MB`;
}
