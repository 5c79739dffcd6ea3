// The page: a bar, a phone for each channel, and beside them the agents' Slack.

import { drop, get, listen, post } from "./api.js";
import { Desk } from "./desk.js";
import { button, el } from "./dom.js";
import { Mailbox } from "./mailbox.js";
import { Phone } from "./phone.js";
import { stock } from "./shop.js";
import { SKINS } from "./skins.js";
import { WebChat } from "./webchat.js";

const FAULTS = [
  ["429", "Too many requests, with Retry-After"],
  ["500", "Internal server error"],
  ["timeout", "No answer at all"],
  ["reset", "The connection is reset"],
];

const gateway = document.getElementById("gateway");
const faults = document.getElementById("faults");
const tabs = document.getElementById("tabs");
const stage = document.getElementById("phones");

let connected = false;
let state = null;
let phones = [];
let webchat = null;
let desk = null;
const mailbox = new Mailbox(document.getElementById("mail"));

function drawBar() {
  const up = connected && state?.gateway_up;
  gateway.className = `pill ${up ? "up" : "down"}`;
  gateway.textContent = !connected ? "sandbox gone" : up ? "gateway up" : "gateway down";
  const active = new Set((state?.faults || []).map((f) => f.kind));
  for (const flip of faults.querySelectorAll("button")) {
    flip.setAttribute("aria-pressed", String(active.has(flip.dataset.kind)));
  }
}

async function toggle(kind, pressed) {
  if (pressed) await drop("faults", { kind });
  else for (const channel of Object.keys(state.channels)) await post("faults", { channel, kind });
}

function buildBar() {
  faults.append(
    el("span", { class: "faults-title" }, "Providers answer with"),
    ...FAULTS.map(([kind, title]) => {
      const flip = button({ title, data: { kind }, "aria-pressed": "false" }, kind);
      flip.addEventListener("click", () => toggle(kind, flip.getAttribute("aria-pressed") === "true").catch(drawBar));
      return flip;
    }),
  );
}

function buildPhones() {
  stock(state.goods, state.catalog);
  for (const [channel, skin] of Object.entries(SKINS)) {
    for (const account of state.accounts[channel] || []) phones.push(new Phone(skin, account, state.channels[channel]));
  }
  const [site] = state.accounts.webchat;
  if (site) webchat = new WebChat(site, state.gateway_url);
  const all = [...phones, ...(webchat ? [webchat] : [])];
  stage.append(...all.map((p) => p.element));
  for (const { element } of all) {
    const jump = () => element.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
    tabs.append(button({ onclick: jump }, element.querySelector("h2").textContent));
  }
}

function buildDesk() {
  if (!desk && state.slack?.accounts?.length) {
    desk = new Desk({ bar: document.getElementById("desk"), stage: stage.parentElement });
    tabs.append(desk.tab);
    desk.slack.load();
  }
  desk?.state(state);
}

function heard(event) {
  if (event.event === "slack") return void desk?.slack.heard(event);
  if (event.event === "mail") return mailbox.came(event.mail);
  if (event.event === "state") {
    mailbox.state(event.mails);
    state = event;
    drawBar();
    if (!phones.length && !webchat) buildPhones();
    buildDesk();
    if (event.gateway_up) webchat?.gatewayUp();
    return;
  }
  for (const phone of phones) {
    if (event.event === "message" && phone.mine(event.message)) phone.show(event.message);
    else if (event.event === "typing" && phone.mine(event)) phone.typing(event);
    else if (event.event === "toast" && phone.mine(event)) phone.tell(event.text);
    else if (event.event === "cleared") phone.load().catch(() => {});
  }
}

buildBar();
listen(heard, async (open) => {
  connected = open;
  drawBar();
  if (!open) return;
  // What was said while the page was not connected.
  state ??= await get("state");
  mailbox.state(state.mails);
  drawBar();
  if (!phones.length && !webchat) buildPhones();
  if (desk) desk.slack.load();
  else buildDesk();
  for (const phone of phones) await phone.load().catch(() => {});
});
