/** Split text into strings and links. */
function linked(text) {
  return String(text).split(/(https?:\/\/[^\s<>"]+)/g).flatMap((part, at) => {
    if (at % 2 === 0) return [part];
    const end = part.match(part.includes("(") ? /[.,;:!?'*_]*$/ : /[.,;:!?'*_)]*$/)[0];
    const address = part.slice(0, part.length - end.length);
    const href = safe(address);
    return href ? [link(href, address), end] : [part];
  });
}

/** The nodes of words with marks {start, end, style, url}, offsets in code points. */
function marked(words, marks) {
  const points = Array.from(words);
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code", pre: "pre" };
  const within = (from, to, list, literal) => {
    const nodes = [];
    const write = (start, end) => {
      const text = points.slice(start, end).join("");
      if (text) nodes.push(...(literal ? [text] : linked(text)));
    };
    let at = from;
    list.forEach((mark, n) => {
      // The gateway sends outer marks before inner ones; what overlaps otherwise is left out.
      if (mark.start < at || mark.end > to || mark.end <= mark.start) return;
      write(at, mark.start);
      const inner = list.slice(n + 1).filter((m) => m.start >= mark.start && m.end <= mark.end);
      const plain = literal || ["link", "code", "pre"].includes(mark.style);
      const children = within(mark.start, mark.end, inner, plain);
      const href = mark.style === "link" && safe(mark.url, LINKS);
      if (href) nodes.push(link(href, ...children));
      else if (tags[mark.style]) nodes.push(el(tags[mark.style], {}, ...children));
      else nodes.push(...children);
      at = mark.end;
    });
    write(at, to);
    return nodes;
  };
  return within(0, points.length, marks, false);
}

/** The nodes of a text, and the words alone for those who hear them. */
function textOf(text, styled) {
  return styled ? marked(styled.words, styled.marks) : linked(text || "");
}
function wordsOf(text, styled) {
  return styled ? styled.words : String(text || "");
}

/** A line that says what a message was, for quotes. */
function gist(look, words) {
  const { content, styled } = look;
  if (look.deleted) return words.deleted;
  const named = { location: words.place, contact: words.contact };
  const text = wordsOf(content.text, styled.text) || wordsOf(content.caption, styled.caption);
  const file = content.kind === "media" && (content.filename || words[content.type] || words.file);
  const card = content.kind === "cards" && content.cards[0] && content.cards[0].title;
  return text || content.title || file || card || content.name || named[content.kind]
    || words.unknown;
}

/** Draws contents. `chat` has the words and language, and does what buttons ask for. */
class Drawing {
  constructor(chat) {
    this.chat = chat;
    this.words = chat.words;
  }

  /** The nodes that show a content; see `bot.message` for the kinds. */
  body(entry, look) {
    const { words } = this;
    const { content, styled } = look;
    if (look.deleted) return [el("em", { className: "gone" }, words.deleted)];
    if (content.kind === "choice") return [content.title || content.payload];
    if (content.kind === "media") return this.media(entry, content, styled);
    if (content.kind === "cards") return [this.cards(entry, look)];
    if (content.kind === "location") return this.location(content);
    if (content.kind === "contact") return this.contact(content);
    if (content.text) return textOf(content.text, styled.text);
    return [words.unknown];
  }

  media(entry, content, styled) {
    const { words } = this;
    const caption = content.caption
      ? [el("div", { className: "caption", dir: "auto" }, ...textOf(content.caption, styled.caption))]
      : [];
    const own = entry.mine ? this.chat.files.address(entry.id) : null;
    const url = own || safe(content.url);
    const { type } = content;
    if (type === "image" || type === "sticker") {
      const src = safePicture(content.url) || own;
      if (src) {
        const alt = wordsOf(content.caption, styled.caption) || words[type];
        const picture = el("img", {
          alt, loading: "lazy", referrerPolicy: "no-referrer",
          className: type === "sticker" ? "sticker" : "",
        });
        picture.onload = () => this.chat.scroll();
        picture.src = src;
        const open = type === "image" && safe(content.url);
        return [open ? link(open, picture) : picture, ...caption];
      }
    }
    if ((type === "audio" || type === "voice") && url) {
      const player = el("audio", { controls: true, preload: "none", "aria-label": words[type] });
      player.src = url;
      return [player, ...this.instead(player, url, content), ...caption];
    }
    if (type === "video" && url) {
      const player = el("video", {
        controls: true, preload: "metadata", playsInline: true, "aria-label": words.video,
      });
      player.onloadedmetadata = () => this.chat.scroll();
      player.src = url;
      return [player, ...this.instead(player, url, content), ...caption];
    }
    return [this.file(content, own ? null : safe(content.url)), ...caption];
  }

  /** What a player is replaced by when the browser cannot play the file. */
  instead(player, url, content) {
    const file = this.file(content, url);
    file.hidden = true;
    player.onerror = () => {
      player.hidden = true;
      file.hidden = false;
    };
    return [file];
  }

  file(content, href) {
    const { words, chat } = this;
    const name = content.filename || words[content.type] || words.file;
    const size = content.size ? bytes(content.size, chat.language) : "";
    const inside = [
      icon(href ? "download" : "file"),
      el("span", {}, el("span", { className: "name", dir: "auto" }, name),
        size ? el("small", {}, size) : null),
    ];
    if (!href) return el("span", { className: "file" }, ...inside);
    const made = link(href, ...inside);
    made.className = "file";
    made.download = content.filename || ""; // of the same origin; elsewhere it opens
    return made;
  }

  location({ latitude, longitude, name, address }) {
    const { words, chat } = this;
    const [north, east] = [Number(latitude), Number(longitude)];
    const degrees = new Intl.NumberFormat(chat.language, { maximumFractionDigits: 5 });
    // The map is another site: it hears of the customer only when he opens it.
    const map = `https://www.openstreetmap.org/?mlat=${north}&mlon=${east}#map=16/${north}/${east}`;
    const opener = link(map, words.map, icon("outside"));
    opener.className = "action";
    return [el("div", { className: "place" }, icon("place"),
      el("div", {},
        el("strong", { dir: "auto" }, name || words.place),
        address ? el("div", { dir: "auto" }, address) : null,
        el("small", { dir: "ltr" }, `${degrees.format(north)}; ${degrees.format(east)}`),
        opener))];
  }

  contact(content) {
    const { words } = this;
    const { name, phones = [], emails = [] } = content;
    const forms = { tel: PHONE, mailto: /^[^\s@?&]+@[^\s@?&]+$/ };
    const line = (scheme, text) => {
      const fits = forms[scheme].test(text);
      const href = fits && safe(`${scheme}:${text.replace(/\s/g, "")}`, LINKS);
      const inside = el("bdi", { dir: "ltr" }, String(text));
      return el("div", {}, href ? link(href, inside) : inside);
    };
    const saver = el("button", { type: "button", className: "action" }, words.save_contact);
    saver.onclick = () => save(`${name || words.contact}.vcf`, "text/vcard", vcard(content));
    return [el("div", { className: "place" }, icon("person"),
      el("div", {}, name ? el("strong", { dir: "auto" }, name) : null,
        ...phones.map((phone) => line("tel", phone)),
        ...emails.map((email) => line("mailto", email)),
        saver))];
  }

  /** What stands below a message to be answered by: buttons, a list, a field; else null. */
  answers(entry, look) {
    const { content, styled } = look;
    if (look.deleted || entry.mine) return null;
    const label = wordsOf(content.text, styled.text);
    if (content.kind === "choices") return this.choices(entry, look, content.options, label);
    if (content.kind === "menu") return this.menu(entry, look, label);
    if (content.kind === "ask") return this.ask(content.wanted, label);
    return null;
  }

  choices(entry, look, options, label) {
    return el("div", { className: "options", role: "group", "aria-label": label },
      ...options.map((option) => this.option(entry, look, option)));
  }

  option(entry, look, option, once = true) {
    const { words } = this;
    const inside = [option.title,
      option.description ? el("small", { dir: "auto" }, option.description) : null];
    if (option.url) {
      const href = safe(option.url, LINKS);
      if (!href) return el("span", { className: "option", dir: "auto" }, ...inside);
      const made = link(href, ...inside, icon("outside", words.opens));
      made.className = "option";
      return made;
    }
    const chosen = look.chosen.includes(option.payload);
    const over = once ? look.chosen.length > 0 : chosen;
    const button = el("button",
      { type: "button", dir: "auto", disabled: over, className: `option ${chosen ? "chosen" : ""}` },
      ...inside);
    if (over) button.setAttribute("aria-pressed", String(chosen));
    button.onclick = () => this.chat.choose(entry, option);
    return button;
  }

  menu(entry, look, label) {
    const { words } = this;
    const { sections, button } = look.content;
    const id = `menu-${newId()}`;
    const opener = el("button", {
      type: "button", className: "option opener", "aria-expanded": "false", "aria-controls": id,
    }, icon("list"), button || words.choose);
    const list = el("div", { id, className: "menu", role: "group", "aria-label": label, hidden: true },
      ...sections.map((section) => {
        const heading = section.title ? el("h3", { dir: "auto" }, section.title) : null;
        const rows = section.options.map((option) => this.option(entry, look, option));
        return el("div", { role: "group", "aria-label": section.title }, heading, ...rows);
      }));
    const toggle = (open) => {
      list.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      const first = open && list.querySelector("button:enabled, a");
      if (first) first.focus({ preventScroll: true });
      if (open) list.scrollIntoView({ block: "nearest" });
    };
    opener.onclick = () => toggle(list.hidden);
    list.onkeydown = (event) => {
      const rows = [...list.querySelectorAll("button:enabled, a")];
      const at = rows.indexOf(list.getRootNode().activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && at >= 0) {
        event.preventDefault();
        rows[(at + step + rows.length) % rows.length].focus();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        toggle(false);
        opener.focus();
      }
    };
    return el("div", { className: "options" }, opener, list);
  }

  cards(entry, look) {
    const { words } = this;
    const { cards } = look.content;
    const strip = el("ul", {
      className: "strip", tabIndex: cards.length > 1 ? 0 : -1, role: "list",
      "aria-label": words.cards,
    }, ...cards.map((card) => this.card(entry, look, card)));
    if (cards.length < 2) return el("div", { className: "cards" }, strip);
    const go = (step) => {
      const rtl = getComputedStyle(strip).direction === "rtl" ? -1 : 1;
      const width = strip.firstElementChild.offsetWidth + 8;
      strip.scrollBy({ left: rtl * step * width, behavior: "smooth" });
    };
    const back = iconButton("icon step", "previous", words.previous);
    const on = iconButton("icon step", "next", words.next);
    back.onclick = () => go(-1);
    on.onclick = () => go(1);
    return el("div", { className: "cards" }, strip, el("div", { className: "steps" }, back, on));
  }

  card(entry, look, card) {
    const src = safe(card.image);
    const href = safe(card.url);
    const picture = src && el("img", { alt: "", loading: "lazy", referrerPolicy: "no-referrer" });
    if (picture) {
      picture.onload = () => this.chat.scroll();
      picture.src = src;
    }
    const title = el("strong", { dir: "auto" }, card.title);
    return el("li", { className: "card" }, picture || null, href ? link(href, title) : title,
      card.text ? el("div", { className: "text", dir: "auto" }, ...textOf(card.text)) : null,
      ...(card.options || []).map((option) => this.option(entry, look, option, false)));
  }

  ask(wanted, label) {
    const { words, chat } = this;
    if (wanted === "phone") return this.phone(label);
    const button = el("button", { type: "button", className: "option" },
      icon("place"), words.send_place);
    button.onclick = () => chat.place(button);
    return el("div", { className: "options", role: "group", "aria-label": label }, button);
  }

  /** A small field for a phone number. */
  phone(label) {
    const { words, chat } = this;
    const input = el("input", {
      type: "tel", autocomplete: "tel", required: true, "aria-label": words.phone,
      placeholder: words.phone, dir: "ltr", maxLength: 32,
    });
    const send = iconButton("icon send", "send", words.send, "submit");
    const form = el("form", { className: "phone", "aria-label": label, noValidate: true }, input, send);
    form.onsubmit = (event) => {
      event.preventDefault();
      const phone = input.value.trim();
      if (!PHONE.test(phone)) {
        chat.tell(words.not_a_phone);
        input.focus();
        return;
      }
      input.value = "";
      chat.tell("");
      chat.write({ kind: "contact", name: "", phones: [phone], emails: [] });
      chat.input.focus({ preventScroll: true });
    };
    return form;
  }
}
