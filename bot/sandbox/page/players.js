// Pictures, sound and film.

import { anchor, button, bytes, el, safeUrl, seconds, seeded } from "./dom.js";
import { icon } from "./icons.js";

const BARS = 34;

const missing = (words) => el("p", { class: "missing" }, words);

export function picture(url, alt, props = {}) {
  const shown = safeUrl(url);
  if (!shown) return missing("A picture without an address");
  const made = el("img", { src: shown, alt, loading: "eager", referrerpolicy: "no-referrer", ...props });
  const link = anchor(shown, { class: "picture" }, made);
  made.addEventListener("error", () => link.replaceWith(missing("This picture cannot be loaded")));
  return link;
}

// Play and pause, with `drawn` called as it goes on; one sound at a time on the whole page.
let playing = null;

function player(url, kind, drawn) {
  const sound = el("audio", { src: safeUrl(url), preload: "metadata" });
  const toggle = button({ class: "play", "aria-label": `Play the ${kind}` }, icon("play"));
  const draw = () => {
    const on = !sound.paused;
    toggle.replaceChildren(icon(on ? "pause" : "play"));
    toggle.setAttribute("aria-label", `${on ? "Pause" : "Play"} the ${kind}`);
    const length = Number.isFinite(sound.duration) ? sound.duration : 0;
    drawn(length ? sound.currentTime / length : 0, on || sound.currentTime ? sound.currentTime : length, length);
  };
  toggle.addEventListener("click", () => {
    if (!sound.paused) return sound.pause();
    if (playing && playing !== sound) playing.pause();
    playing = sound;
    return sound.play().catch(() => toggle.replaceWith(icon("warn")));
  });
  for (const event of ["play", "pause", "ended", "timeupdate", "loadedmetadata"]) sound.addEventListener(event, draw);
  const seek = (part) => {
    if (Number.isFinite(sound.duration)) sound.currentTime = part * sound.duration;
  };
  return { sound, toggle, draw, seek };
}

function slider(kind, seek, inner) {
  const made = el("div", { class: "track", role: "slider", tabindex: "0", "aria-label": `Place in the ${kind}`, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, inner);
  made.addEventListener("click", (event) => seek(event.offsetX / Math.max(1, made.clientWidth)));
  made.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
    if (step) seek(Math.min(1, Math.max(0, (Number(made.getAttribute("aria-valuenow")) + step) / 100)));
  });
  return made;
}

export function voice(media, seed) {
  const next = seeded(seed);
  const bars = Array.from({ length: BARS }, (_, n) => {
    const bar = el("i");
    bar.style.height = `${18 + 82 * next() * Math.abs(Math.sin(n / 3 + next()))}%`;
    return bar;
  });
  const time = el("span", { class: "time" }, "0:00");
  const made = player(media.url, "voice message", (part, at) => {
    bars.forEach((bar, n) => bar.classList.toggle("heard", n < part * BARS));
    time.textContent = seconds(at);
    track.setAttribute("aria-valuenow", Math.round(part * 100));
  });
  const track = slider("voice message", made.seek, bars);
  track.classList.add("wave");
  return el("div", { class: "voice" }, made.toggle, el("div", { class: "voice-body" }, track, time), el("span", { class: "mic" }, icon("mic")), made.sound);
}

export function audio(media) {
  const line = el("i", { class: "heard" });
  const time = el("span", { class: "time" }, "0:00");
  const made = player(media.url, "audio file", (part, at, length) => {
    line.style.width = `${part * 100}%`;
    time.textContent = `${seconds(at)} / ${seconds(length)}`;
    track.setAttribute("aria-valuenow", Math.round(part * 100));
  });
  const track = slider("audio file", made.seek, line);
  track.classList.add("run");
  return el("div", { class: "voice audio" }, made.toggle, el("div", { class: "voice-body" }, el("b", {}, media.filename || "Audio"), track, time), made.sound);
}

export function video(media) {
  const film = el("video", { src: safeUrl(media.url), preload: "metadata", playsinline: true, "aria-label": media.caption || media.filename || "Video" });
  const time = el("span", { class: "film-time" });
  const start = button({ class: "film-play", "aria-label": "Play the video" }, icon("play"));
  const made = el("div", { class: "film" }, film, start, time);
  // Its own controls appear once it was begun.
  start.addEventListener("click", () => {
    film.controls = true;
    start.remove();
    time.remove();
    film.play().catch(() => {});
  });
  film.addEventListener("loadedmetadata", () => {
    if (film.videoWidth) film.style.aspectRatio = `${film.videoWidth} / ${film.videoHeight}`;
    time.textContent = Number.isFinite(film.duration) ? seconds(film.duration) : "";
  });
  film.addEventListener("error", () => made.replaceWith(missing("This video cannot be played")));
  return made;
}

export function file(media) {
  const url = safeUrl(media.url);
  const name = media.filename || url.split("/").pop() || "Document";
  const ending = (/\.([A-Za-z0-9]{1,5})$/.exec(name) || [0, "file"])[1].toUpperCase();
  const note = [ending, media.size ? bytes(media.size) : ""].filter(Boolean).join(" · ");
  const parts = [el("span", { class: "file-icon" }, icon("file"), el("b", {}, ending)), el("span", { class: "file-name" }, name, el("small", {}, note))];
  return url ? anchor(url, { class: "file" }, parts) : el("span", { class: "file" }, parts);
}
