// Files that were shared: pictures and recordings as such, others by name.

import { anchor, bytes, el } from "./dom.js";
import { icon } from "./icons.js";
import { fileUrl } from "./slack_blocks.js";

const PLAYED = { audio: "audio", video: "video" };

function shared(file) {
  const url = fileUrl(file.id);
  const [kind] = (file.mimetype || "").split("/");
  if (kind === "image") {
    return el("figure", { class: "s-file" }, el("figcaption", {}, file.name), anchor(url, {}, el("img", { src: url, alt: file.name })));
  }
  if (PLAYED[kind]) return el("figure", { class: "s-file" }, el("figcaption", {}, file.name), el(PLAYED[kind], { src: url, controls: true, preload: "metadata", "aria-label": file.name }));
  return anchor(url, { class: "s-document", download: file.name }, icon("file"), el("span", {}, el("b", {}, file.name), el("small", {}, bytes(file.size || 0))));
}

export const files = (given) => (given?.length ? el("div", { class: "s-files" }, given.map(shared)) : null);
