// Line drawings, 24 by 24.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  whatsapp: "M4 20l1.300-4A8 8 0 1 1 8.200 19zM9 8.500c0 4 2.500 6.500 6.500 6.500l.8-2-2-1-1 .9c-1-.4-1.800-1.200-2.200-2.200l.9-1-1-2z",
  telegram: "M21 4 3 11.500l5.500 2L17 7l-6 7.500V20l3-3.500 4 3z",
  messenger: "M12 3.500c-5 0-8.800 3.600-8.800 8.200 0 2.500 1.100 4.600 2.900 6V21l2.900-1.600c.9.300 2 .4 3 .4 5 0 8.800-3.600 8.800-8.100S17 3.500 12 3.500zM6.500 14l4.200-4.400 2.600 2.600 4.200-2.600",
  sms: "M4 5h16v11H11l-4.500 4v-4H4zM8 10.500v.01M12 10.500v.01M16 10.500v.01",
  webchat: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3.500 12h17M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
  line: "M4 5h16v11H11l-4.500 4v-4H4z",
  clip: "M20 11.500 12 19.600a5 5 0 0 1-7.100-7.100l8.400-8.400a3.400 3.400 0 0 1 4.800 4.800l-8.300 8.300a1.700 1.700 0 0 1-2.400-2.400l7.600-7.600",
  spark: "M12 3l1.800 5.400L19 10l-5.200 1.600L12 17l-1.800-5.400L5 10l5.200-1.600zM19 16l.8 2.200L22 19l-2.200.8L19 22l-.8-2.200L16 19l2.200-.8z",
  list: "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
  layers: "M12 4 3 9l9 5 9-5zM3.500 14l8.500 4.700 8.500-4.700",
  bolt: "M13 3 5 13.500h6L10 21l8-10.500h-6z",
  stamp: "M5 20h14M6 16h12v-2.500h-4V9.800a3.200 3.200 0 1 0-4 0v3.700H6z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  back: "M15 4.500 7.500 12l7.500 7.500",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.500v.01",
  close: "M6 6l12 12M18 6 6 18",
  out: "M14 5H5v14h9M10 12h11M17.500 8.500 21 12l-3.500 3.500",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.500 11h13v9.500h-13z",
  down: "M12 5v14M5.500 12.500 12 19l6.500-6.500",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500 21 21",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] || PATHS.line);
  svg.append(path);
  return svg;
}
