// Line drawings, 24 by 24.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  send: "M3 20.5 21 12 3 3.5v6.6l11 1.9-11 1.9z",
  arrow: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  clip: "M20 11.5 12 19.6a5 5 0 0 1-7.1-7.1l8.4-8.4a3.4 3.4 0 0 1 4.8 4.8l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6",
  plus: "M12 5v14M5 12h14",
  camera: "M4 8h3.2l1.6-2.5h6.4L16.8 8H20v11H4zM12 16.6a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  images: "M7 4h13v11H7zM4 8v12h13M7 13l4-4 4 4 2-2 3 3",
  mic: "M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  note: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  sticker: "M20 13V6.500a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h7.500zM20 13h-4.500a2 2 0 0 0-2 2v4.500M9 10v.01M15 10v.01M9 13.500c1 1 2 1.4 3 1.4",
  back: "M15 4.5 7.5 12l7.5 7.5",
  next: "M9 4.5 16.5 12 9 19.5",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  dots: "M5.5 12v.01M12 12v.01M18.5 12v.01",
  reply: "M10 8V4.5L3.5 11l6.5 6.5V14c5 0 8.2 1.6 10.5 5-.9-5-3.9-10-10.5-11z",
  list: "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
  link: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  close: "M6 6l12 12M18 6 6 18",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  shop: "M4 10v10h16V10M3 10l2-6h14l2 6zM9 20v-6h6v6",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  folder: "M3.5 6h6l2 2.500h9V19h-17z",
  video: "M3 7h12v10H3zM15 11l6-3.5v9L15 13",
  phone: "M6 3.5 9.5 8 8 10.500c1 2.6 2.9 4.5 5.5 5.500L16 14.500l4.5 3.500c-.5 2-2 3-4 3C9.5 20 4 14.5 3 7.500c0-2 1-3.5 3-4z",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9.500h-13z",
  one: "M4.5 12.5 9 17 19 7",
  two: "M2 12.5 6.5 17 16 7M11.5 16 12.5 17 22 7",
  ring: "M12 20.500a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z",
  ringed: "M12 20.500a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.2 12.300l2.6 2.6 5-5.4",
  warn: "M12 4 2.5 20h19zM12 10v5M12 17.500v.01",
  person: "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM3.5 21c0-4.2 3.8-7 8.5-7s8.5 2.8 8.5 7",
  card: "M3 5h18v14H3zM9 12.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6 16c.4-1.5 1.5-2 3-2s2.6.5 3 2M15 10h3M15 13.500h3",
  emoji: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 10v.01M15.5 10v.01M8 14.500c1 1.5 2.4 2.2 4 2.200s3-.7 4-2.2",
  thumb: "M7 11v9H4v-9zM7 11l4-7.500c1.5 0 2.3 1 2 2.500L12.5 9H18a2 2 0 0 1 2 2.300l-1.2 7A2 2 0 0 1 16.8 20H7",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  ban: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.7 5.700l12.6 12.6",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.500h4",
  mute: "M6 16V11a6 6 0 0 1 9-5.200M18 11v5l1.5 2H8M10 20.500h4M4 4l16 16",
  ad: "M4 10v4l11 4.500v-13zM15 9.500c2 0 3 1 3 2.500s-1 2.5-3 2.500M6.5 15v4.500h3V16",
  swap: "M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4",
  trash: "M4.5 6.500h15M9 6.500v-3h6v3M6.5 6.5 7.5 20.500h9l1-14M10 10.500v6M14 10.500v6",
  pencil: "M4 20l1-4.500L16 4.500l3.5 3.500L8.5 19z",
  cart: "M3 4.500h2.500l2.3 10.500h9.700l2-7.500H6.300M9 20v.01M16.5 20v.01",
  play: "M7 4.500v15l12.5-7.500z",
  pause: "M8 5v14M16 5v14",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  hash: "M9.500 4 7.500 20M16.500 4 14.500 20M4.500 9h15.500M4 15h15.500",
  bolt: "M13 3 5 13.500h6L10 21l8-10.500h-6z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon", `icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// A drawing made of [tag, attributes] pairs.
export function drawing(box, shapes, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", box);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of shapes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    svg.append(made);
  }
  return svg;
}
