// What a customer can do besides writing: the menu behind the plus sign.

import { button, el } from "./dom.js";
import { beyond } from "./clock.js";
import { Customers, freshUser } from "./customers.js";
import { icon } from "./icons.js";
import * as samples from "./samples.js";
import { all, catalog, shelves } from "./shop.js";

// The sample places are in Larkfield, which is nowhere.
const HERE = { kind: "location", latitude: 51.7592, longitude: -0.4617 };
const VENUE = { ...HERE, name: "Larkfield Goods", address: "14 Mill Lane, Larkfield" };
const FRIEND = { kind: "contact", name: "Mira Holm", phones: ["+12025550143"], emails: ["mira@larkfield.example"] };
// Phones that have numbers may be the same person's.
const OTHER = { whatsapp: ["sms", "SMS"], sms: ["whatsapp", "WhatsApp"] };
const HOURS = [0, 1, 23, 25, 24 * 8];

export class Deeds {
  constructor(phone) {
    this.phone = phone;
  }

  // -- the menu -------------------------------------------------------------------------

  get things() {
    const { phone } = this;
    const { composer } = phone;
    const draft = (make) => async () => composer.attach([await make()]);
    const send = (make) => async () => composer.sendFiles([await make()], "");
    return [
      ["image", "image", "Photo", draft(samples.image)],
      ["image", "image", "Label", draft(() => samples.label(composer.taken()))],
      ["video", "video", "Video", draft(samples.video)],
      ["document", "file", "Document", draft(samples.pdf)],
      // What is typed is said in it, and stands in the label: the sandbox's models understand both.
      ["voice", "mic", "Voice note", send(() => samples.voice(composer.taken()))],
      ["audio", "note", "Audio", send(samples.audio)],
      ["sticker", "sticker", "Sticker", send(samples.sticker)],
      ["album", "images", "Album", async () => composer.attach(await Promise.all([1, 2, 3].map(samples.image)))],
      ["location", "pin", "Location", () => this.location()],
      ["venue", "shop", "Venue", () => phone.say({ content: VENUE })],
      ["contact", "card", "Contact", () => phone.say({ content: FRIEND })],
      ["own_contact", "phone", "My number", () => this.number()],
      ["order", "cart", "Order", () => phone.openShop([], {})],
      ["image", "folder", "Choose a file", () => composer.chooser.click()],
    ];
  }

  get events() {
    const { phone } = this;
    const { customer } = phone;
    const happen = (name, data = "") => phone.say({ content: { kind: "event", name, data } });
    return [
      ["start", "bolt", "Start by a link", () => this.begin()],
      ["referral", "ad", "Come from an ad", () => this.come()],
      customer.blocked
        ? ["unblocked", "ban", "Unblock", () => happen("unblocked")]
        : ["blocked", "ban", "Block", () => happen("blocked")],
      customer.stopped
        ? ["opt_in", "bell", phone.skin.optIn, async () => (await happen("opt_in", phone.skin.optData)) && phone.note({ stopped: false })]
        : ["opt_out", "mute", phone.skin.optOut, async () => (await happen("opt_out", phone.skin.optData)) && phone.note({ stopped: true })],
      ["moved", "swap", "Change number", () => this.move()],
    ];
  }

  open() {
    const { phone } = this;
    const tile = ([, sign, title, deed]) =>
      button({ class: "tile", onclick: () => this.close(deed) }, el("span", { class: `tile-icon tile-${sign}` }, icon(sign)), title);
    const row = ([, sign, title, deed]) => button({ class: "option with-icon", onclick: () => this.close(deed) }, icon(sign), title);
    const can = ([deed]) => phone.can.has(deed);
    const [other, title] = OTHER[phone.channel] || [];
    const same = other && row([, "person", `Same person as on ${title}`, () => phone.join(new Customers(other).now)]);
    phone.sheet.open(
      "What the customer does",
      el("div", { class: "tiles" }, this.things.filter(can).map(tile)),
      el("div", { class: "deeds" }, this.events.filter(can).map(row), same, row([, "clock", `Move this phone’s clock (${phone.clock.words})`, () => this.time()]), row([, "trash", "Clear the screen", () => phone.forget()])),
    );
  }

  close(deed) {
    this.phone.sheet.close();
    Promise.resolve(deed()).catch((error) => this.phone.tell(error.message));
  }

  // -- what asks something first, or is asked for by the bot --------------------------------

  location() {
    return this.phone.say({ content: HERE });
  }

  number() {
    const { phone } = this;
    const { customer } = phone;
    const digits = customer.user.replace(/\D/g, "");
    const own = ["whatsapp", "sms"].includes(phone.channel) ? `+${digits}` : "+12025550187";
    return phone.say({ content: { kind: "contact", name: customer.name, phones: [own], emails: [], own: true } });
  }

  async begin() {
    const { phone } = this;
    const given = await phone.sheet.ask("Open the chat by a link", [{ name: "data", label: "The link’s word", value: "spring-sale" }], "Start", phone.skin.startNote);
    await phone.say({ content: { kind: "event", name: "start", data: given.data } });
  }

  async come() {
    const { phone } = this;
    const fields = [
      { name: "title", label: "The advertisement’s headline", value: "Spring sale: mugs from 9.90" },
      { name: "ref", label: "Its id, or the link’s word", value: "120208" },
      { name: "text", label: "What the customer writes", value: "Hello! I saw your ad." },
    ];
    const { title, ref, text } = await phone.sheet.ask("Come from an advertisement", fields, "Open the chat");
    const referral = { source: "ad", ref, url: "https://larkfield.example/spring", title, click: "ARAkLkA8rmlFeiCktEJQ" };
    const content = text ? { kind: "text", text } : { kind: "event", name: "referral", data: ref };
    await phone.say({ content, referral });
  }

  async move() {
    const { phone } = this;
    const fields = [{ name: "data", label: "The new number or id", value: freshUser(phone.channel) }];
    const { data } = await phone.sheet.ask("Change the customer’s number", fields, "Change");
    if (data && (await phone.say({ content: { kind: "event", name: "moved", data } }))) await phone.moved(data);
  }

  time() {
    const { phone } = this;
    const set = (hours) => {
      phone.sheet.close();
      phone.clock.put(hours);
    };
    const choice = (hours) => {
      const at = new Date(Date.now() - hours * 3600_000).toISOString();
      const late = beyond(at, new Date().toISOString(), phone.window) ? "an answer now is out of the window" : "";
      const title = !hours ? "Now" : hours < 48 ? `${hours} h back` : `${hours / 24} days back`;
      return button({ class: "option", "aria-pressed": String(phone.clock.hours === hours), onclick: () => set(hours) }, title, late ? el("small", {}, late) : null);
    };
    const custom = async () => {
      const fields = [{ name: "hours", label: "Hours back", value: String(phone.clock.hours || 12), type: "number" }];
      const { hours } = await phone.sheet.ask("Move this phone’s clock", fields, "Set");
      phone.clock.put(Number(hours) || 0);
    };
    const note = phone.window
      ? `What is written now is claimed to be that old. The bot may answer freely for ${phone.window} hours.`
      : "What is written now is claimed to be that old. This channel has no answering window.";
    phone.sheet.open("This phone’s clock", el("p", { class: "note" }, note), HOURS.map(choice), button({ class: "option", onclick: custom }, "Other…"));
  }

  shop(ids) {
    const { phone } = this;
    const buy = (items) => {
      phone.sheet.close();
      phone.say({ content: { kind: "order", items, catalog: catalog(), note: "" } });
    };
    const known = ids.length ? ids : all().map((one) => one.id);
    phone.sheet.open(ids.length === 1 ? "Product" : "Catalogue", shelves(known, buy, phone.can.has("order")));
  }
}
