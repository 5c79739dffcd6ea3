/*
 * <support-chat>: the customer's side of the web chat, one file without dependencies.
 *
 *   <script src="https://bot.example.com/widget.js" async></script>
 *   <support-chat account="site"></support-chat>
 *
 * or in one tag, whose data- attributes become those of the element:
 *
 *   <script src="https://bot.example.com/widget.js" data-account="site" async></script>
 *
 * Attributes: account; server (the gateway, default: where the script came from); title;
 * lang; open (starts open); inline (fills its container instead of floating).
 * Colours: --support-chat-accent, --support-chat-on-accent.
 */
(() => {
  "use strict";
  if (customElements.get("support-chat")) return;

  const STRINGS = {
    en: {
      title: "Support", open: "Open chat", close: "Close chat", log: "Messages",
      write: "Write a message", send: "Send", attach: "Send an image", you: "You:",
      them: "Support:", waiting: "Sending", sent: "Sent",
      typing: "An answer is being written",
      offline: "No connection. What you write is kept and sent later.", image: "Image",
      file: "File", unknown: "A message this chat cannot show", place: "Location",
      unread: (n) => `${n} unread`,
      empty: "Not sent: it is empty.", too_long: "Not sent: it is too long.",
      not_an_image: "Not sent: this is not an image.",
      image_too_big: "Not sent: the image is too big.", refused: "Not sent.",
    },
    de: {
      title: "Support", open: "Chat öffnen", close: "Chat schließen", log: "Nachrichten",
      write: "Nachricht schreiben", send: "Senden", attach: "Bild senden", you: "Sie:",
      them: "Support:", waiting: "Wird gesendet", sent: "Gesendet",
      typing: "Eine Antwort wird geschrieben",
      offline: "Keine Verbindung. Was Sie schreiben, bleibt erhalten und wird später gesendet.",
      image: "Bild", file: "Datei", unknown: "Eine Nachricht, die dieser Chat nicht zeigen kann",
      place: "Standort", unread: (n) => `${n} ungelesen`,
      empty: "Nicht gesendet: leer.", too_long: "Nicht gesendet: zu lang.",
      not_an_image: "Nicht gesendet: Das ist kein Bild.",
      image_too_big: "Nicht gesendet: Das Bild ist zu groß.", refused: "Nicht gesendet.",
    },
    fr: {
      title: "Assistance", open: "Ouvrir le chat", close: "Fermer le chat", log: "Messages",
      write: "Écrire un message", send: "Envoyer", attach: "Envoyer une image", you: "Vous :",
      them: "Assistance :", waiting: "Envoi en cours", sent: "Envoyé",
      typing: "Une réponse est en cours d’écriture",
      offline: "Pas de connexion. Vos messages sont gardés et seront envoyés plus tard.",
      image: "Image", file: "Fichier", unknown: "Un message que ce chat ne peut pas afficher",
      place: "Lieu", unread: (n) => `${n} non lus`,
      empty: "Non envoyé : le message est vide.",
      too_long: "Non envoyé : le message est trop long.",
      not_an_image: "Non envoyé : ce n’est pas une image.",
      image_too_big: "Non envoyé : l’image est trop lourde.", refused: "Non envoyé.",
    },
    es: {
      title: "Soporte", open: "Abrir el chat", close: "Cerrar el chat", log: "Mensajes",
      write: "Escriba un mensaje", send: "Enviar", attach: "Enviar una imagen", you: "Usted:",
      them: "Soporte:", waiting: "Enviando", sent: "Enviado",
      typing: "Se está escribiendo una respuesta",
      offline: "Sin conexión. Lo que escriba se guarda y se enviará más tarde.",
      image: "Imagen", file: "Archivo", unknown: "Un mensaje que este chat no puede mostrar",
      place: "Ubicación", unread: (n) => `${n} sin leer`,
      empty: "No enviado: está vacío.", too_long: "No enviado: es demasiado largo.",
      not_an_image: "No enviado: no es una imagen.",
      image_too_big: "No enviado: la imagen es demasiado grande.", refused: "No enviado.",
    },
    pt: {
      title: "Suporte", open: "Abrir o chat", close: "Fechar o chat", log: "Mensagens",
      write: "Escreva uma mensagem", send: "Enviar", attach: "Enviar uma imagem", you: "Você:",
      them: "Suporte:", waiting: "Enviando", sent: "Enviado",
      typing: "Uma resposta está sendo escrita",
      offline: "Sem conexão. O que você escrever fica guardado e será enviado depois.",
      image: "Imagem", file: "Arquivo", unknown: "Uma mensagem que este chat não pode mostrar",
      place: "Localização", unread: (n) => `${n} não lidas`,
      empty: "Não enviado: está vazio.", too_long: "Não enviado: é longo demais.",
      not_an_image: "Não enviado: não é uma imagem.",
      image_too_big: "Não enviado: a imagem é grande demais.", refused: "Não enviado.",
    },
  };

  const STYLE = `
    :host {
      --accent: var(--support-chat-accent, #1d5bd8);
      --on-accent: var(--support-chat-on-accent, #fff);
      --page: #fff; --ink: #1c2230; --soft: #f0f2f6; --faint: #5b6475; --line: #d8dde6;
      color-scheme: light dark; display: block; position: fixed; z-index: 2147483000;
      inset-block-end: 16px; inset-inline-end: 16px;
      font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    }
    @media (prefers-color-scheme: dark) {
      :host { --page: #161a22; --ink: #e8ebf2; --soft: #262c38; --faint: #a3acbd; --line: #363e4d; }
    }
    :host([inline]) { position: static; height: 100%; min-height: 0; }
    .all { height: 100%; }
    :host([hidden]), [hidden] { display: none !important; }
    * { box-sizing: border-box; }
    button { font: inherit; color: inherit; cursor: pointer; background: none; border: 0; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    header :focus-visible { outline-color: var(--on-accent); }
    svg { display: block; width: 22px; height: 22px; fill: none; stroke: currentColor;
      stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .aside { position: absolute; width: 1px; height: 1px; overflow: hidden;
      clip-path: inset(50%); white-space: nowrap; }
    .launcher { position: relative; display: grid; place-items: center; width: 56px; height: 56px;
      border-radius: 50%; background: var(--accent); color: var(--on-accent);
      box-shadow: 0 4px 16px #0004; }
    .badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 22px;
      padding: 0 6px; border-radius: 11px; background: #c62828; color: #fff; font-size: 13px; }
    .panel { display: flex; flex-direction: column; background: var(--page); color: var(--ink);
      overflow: hidden; height: 100%; position: relative; }
    :host(:not([inline])) .panel { position: fixed; inset-block-end: 84px; inset-inline-end: 16px;
      width: min(380px, calc(100vw - 32px)); height: min(600px, calc(100dvh - 100px));
      border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 10px 40px #0005; }
    header { display: flex; align-items: center; gap: 8px; padding: 10px 14px; min-height: 52px;
      background: var(--accent); color: var(--on-accent); }
    h2 { flex: 1; margin: 0; font-size: 16px; overflow: hidden; text-overflow: ellipsis;
      white-space: nowrap; }
    .icon { display: grid; place-items: center; width: 40px; height: 40px; padding: 0;
      border-radius: 8px; flex: none; }
    .log { flex: 1; overflow-y: auto; padding: 14px; display: flex; flex-direction: column;
      gap: 8px; overscroll-behavior: contain; }
    .log > :first-child { margin-block-start: auto; }
    .row { display: flex; flex-direction: column; align-items: flex-start; max-width: 85%;
      align-self: flex-start; }
    .mine { align-self: flex-end; align-items: flex-end; }
    .bubble { padding: 8px 12px; border-radius: 14px; background: var(--soft);
      white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; max-width: 100%; }
    .mine .bubble { background: var(--accent); color: var(--on-accent); }
    .bubble a { color: inherit; }
    .bubble img { display: block; max-width: 100%; max-height: 260px; border-radius: 8px; }
    .meta { display: flex; align-items: center; gap: 4px; margin: 2px 4px 0; font-size: 12px;
      color: var(--faint); }
    .meta svg { width: 13px; height: 13px; }
    .refused .meta { color: #c62828; }
    @media (prefers-color-scheme: dark) { .refused .meta { color: #ff8a80; } }
    .options { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 6px; }
    .options button { padding: 7px 13px; border: 1px solid var(--accent); border-radius: 18px;
      background: var(--page); overflow-wrap: anywhere; text-align: start; }
    .options button:hover:enabled { background: var(--soft); }
    .options button:disabled { cursor: default; border-color: var(--line); color: var(--faint); }
    .options .chosen:disabled { background: var(--soft); color: var(--ink);
      border-color: var(--accent); }
    .options small { display: block; color: var(--faint); }
    .typing { display: flex; gap: 4px; align-self: flex-start; padding: 13px 14px;
      border-radius: 14px; background: var(--soft); }
    .typing i { width: 7px; height: 7px; border-radius: 50%; background: var(--faint);
      animation: blink 1.2s infinite; }
    .typing i:nth-child(2) { animation-delay: .2s; }
    .typing i:nth-child(3) { animation-delay: .4s; }
    @keyframes blink { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
    .notice { margin: 0; padding: 6px 14px; background: #8a5300; color: #fff; font-size: 13px; }
    .notice:empty { padding: 0; } /* not hidden: screen readers watch what is there already */
    form { display: flex; align-items: flex-end; gap: 4px; padding: 8px;
      border-block-start: 1px solid var(--line); }
    textarea { flex: 1; min-width: 0; max-height: 120px; padding: 8px 10px; resize: none;
      font: inherit; font-size: 16px; line-height: 22px; color: inherit; background: var(--soft);
      border: 1px solid transparent; border-radius: 10px; }
    textarea::placeholder { color: var(--faint); opacity: 1; }
    @media (max-width: 480px) {
      :host(:not([inline])) .panel { inset: 0; width: auto; height: auto; border: 0;
        border-radius: 0; padding-block-end: env(safe-area-inset-bottom); }
      :host(:not([inline])) .panel:not([hidden]) ~ .launcher { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { .typing i { animation: none; opacity: .7; } }
  `;

  const ICONS = {
    chat: "M4 5h16v11H10l-5 4v-4H4z",
    close: "M6 6l12 12M18 6L6 18",
    send: "M4 12l16-8-5 16-3-7z",
    attach: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
    waiting: "M12 3a9 9 0 1 0 .01 0M12 8v4l3 2",
    sent: "M4 13l5 5L20 6",
    refused: "M12 4v10M12 19h.01",
  };

  // Times are in milliseconds; the limits are the gateway's.
  const TEXT_LIMIT = 4000;
  const IMAGE_BYTES = 512 * 1024;
  const IMAGE_SIDE = 1280;
  const KEPT = 200;
  const ACK_TIME = 20000;
  const TYPING_TIME = 15000;
  const OFFLINE_NOTICE_AFTER = 2000;
  const LONGEST_PAUSE = 30000;
  const SILENCE = 60000;
  const STABLE = 10000;

  const script = document.currentScript;
  const HOME = script && script.src ? new URL(script.src).origin : location.origin;

  /** Make an element. Strings become text nodes: nothing here ever parses HTML. */
  function el(name, props = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props)) {
      if (value === undefined || value === null) continue;
      if (key in node) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  function icon(name, label) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    if (label) {
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", label);
    } else svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  /** Return the address when it is http(s), or also data:image with `image`; else null. */
  function safe(address, image = false) {
    const text = String(address || "");
    if (image && /^data:image\/(png|jpeg|gif|webp);base64,/.test(text)) return text;
    try {
      const url = new URL(text);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
    } catch {
      return null;
    }
  }

  function link(href, text) {
    return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
  }

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

  /** Draw an image file anew as a JPEG that fits the gateway's limit; a data URL, or null. */
  async function shrink(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      return null;
    }
    const canvas = el("canvas");
    for (let side = IMAGE_SIDE; side >= 320; side /= 2) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff"; // JPEG has no transparency
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      for (const quality of [0.85, 0.7, 0.5]) {
        const url = canvas.toDataURL("image/jpeg", quality);
        if ((url.length - 23) * 0.75 <= IMAGE_BYTES) return url;
      }
    }
    return null;
  }

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID(); // only in secure contexts
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /**
   * What this browser knows of the conversation: the token, and what was written both ways.
   *
   * An entry is {id, mine, at, content} with, for mine, state ("waiting", "sent", "refused")
   * and reason, and for theirs, order, seen and chosen (the payload). Several tabs share it.
   */
  class Transcript {
    constructor(key) {
      this.key = key;
      this.token = null;
      this.entries = [];
      this.changed = () => {}; // called with each entry that another tab added or changed
      this.storage = Transcript.storage();
      const stored = this.read();
      if (stored) Object.assign(this, { token: stored.token, entries: stored.entries });
    }

    /** Local storage, else that of the tab, else nothing: browsers may forbid either. */
    static storage() {
      for (const name of ["localStorage", "sessionStorage"]) {
        try {
          const found = window[name];
          found.setItem("support-chat", "");
          found.removeItem("support-chat");
          return found;
        } catch {
          continue;
        }
      }
      return null;
    }

    read() {
      try {
        const found = JSON.parse(this.storage.getItem(this.key));
        return found && Array.isArray(found.entries) ? found : null;
      } catch {
        return null;
      }
    }

    find(id) {
      return this.entries.find((entry) => entry.id === id);
    }

    /** The order to go on after: that of the newest message, or before the first unseen one. */
    get after() {
      const theirs = this.entries.filter((entry) => !entry.mine);
      if (!theirs.length) return 0;
      const unseen = theirs.filter((entry) => !entry.seen).map((entry) => entry.order - 1);
      return Math.max(0, Math.min(theirs[theirs.length - 1].order, ...unseen));
    }

    get unseen() {
      return this.entries.filter((entry) => !entry.mine && !entry.seen);
    }

    get waiting() {
      return this.entries.find((entry) => entry.state === "waiting");
    }

    /** Whether a message is one that was dropped here for its age. */
    forgotten(at) {
      return this.entries.length >= KEPT && at < this.entries[0].at;
    }

    /** Take over what another tab stored; return the token found there, null without one. */
    merge() {
      const stored = this.read();
      if (!stored) return null;
      const changed = [];
      for (const theirs of stored.entries) {
        const ours = this.find(theirs.id);
        if (!ours) {
          if (this.forgotten(theirs.at)) continue;
          this.entries.push(theirs);
          changed.push(theirs);
          continue;
        }
        const settles = ours.state === "waiting" && theirs.state !== "waiting";
        if (!settles && (!theirs.chosen || ours.chosen) && (!theirs.seen || ours.seen)) continue;
        if (settles) Object.assign(ours, { state: theirs.state, reason: theirs.reason });
        ours.chosen = ours.chosen || theirs.chosen;
        ours.seen = ours.seen || theirs.seen;
        changed.push(ours);
      }
      changed.forEach(this.changed);
      return stored.token;
    }

    save() {
      if (!this.storage) return;
      const token = this.merge(); // else what another tab just wrote would be overwritten
      this.token = this.token || token;
      const spare = this.entries.length - KEPT;
      this.entries = this.entries.filter((entry, at) => at >= spare || entry.state === "waiting");
      const all = { token: this.token, entries: this.entries };
      if (this.write(all)) return;
      // No room left. Images are what fills it; those that still must be sent stay.
      all.entries = this.entries.map((entry) =>
        entry.content.kind === "media" && entry.state !== "waiting"
          ? { ...entry, content: { ...entry.content, url: "" } }
          : entry);
      this.write(all);
    }

    write(all) {
      try {
        this.storage.setItem(this.key, JSON.stringify(all));
        return true;
      } catch {
        return false;
      }
    }
  }

  /** The connection: says hello, sends what waits one by one, and never gives up. */
  class Line {
    constructor(url, transcript, language, view) {
      Object.assign(this, { url, transcript, language, view });
      this.socket = null;
      this.welcomed = 0; // when, 0 before
      this.flying = null; // the id that waits for its answer
      this.tries = 0;
      this.stores = 0;
      this.whole = false; // ask for the conversation from its beginning
      this.stopped = true;
    }

    start() {
      this.stopped = false;
      if (!this.socket) this.connect();
    }

    stop() {
      this.stopped = true;
      this.drop();
    }

    /** Begin anew, now. */
    restart() {
      if (this.stopped) return;
      this.drop();
      this.connect();
    }

    /** Begin anew when there is no connection, or one that may be dead without our knowing. */
    nudge() {
      const doubtful = this.welcomed && Date.now() - this.heard > SILENCE;
      if (!this.welcomed || doubtful) this.restart();
    }

    /** Leave the socket. Its close event may come minutes later and is not waited for. */
    drop() {
      clearTimeout(this.again);
      clearTimeout(this.patience);
      const socket = this.socket;
      this.socket = null;
      this.welcomed = 0;
      this.flying = null;
      if (!socket) return;
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }

    connect() {
      clearTimeout(this.again);
      this.asked = this.transcript.token;
      let socket;
      try {
        socket = new WebSocket(this.url);
      } catch (error) {
        console.error("support-chat: the server attribute is not an address", error);
        return;
      }
      this.socket = socket;
      this.patience = setTimeout(() => this.lost(), ACK_TIME);
      socket.onopen = () => {
        const { token, after } = this.transcript;
        const hello = { type: "hello", token, after: this.whole ? 0 : after };
        this.say({ ...hello, language: this.language });
      };
      socket.onmessage = (event) => this.hear(JSON.parse(event.data));
      socket.onclose = () => this.lost();
    }

    lost() {
      if (this.welcomed && Date.now() - this.welcomed > STABLE) this.tries = 0;
      this.drop();
      this.view.connected(false);
      if (this.stopped) return;
      const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** this.tries++);
      // Jitter, so that a restarted gateway is not met by everyone at once.
      this.again = setTimeout(() => this.connect(), pause * (0.5 + Math.random() / 2));
    }

    say(frame) {
      this.socket.send(JSON.stringify(frame));
    }

    hear(frame) {
      this.heard = Date.now();
      if (frame.type === "welcome") this.welcome(frame);
      else if (frame.type === "message") this.message(frame);
      else if (frame.type === "error") console.warn("support-chat:", frame.reason);
      else if (frame.id === this.flying) this.answered(frame);
    }

    welcome(frame) {
      clearTimeout(this.patience);
      const other = this.transcript.merge();
      if (other && other !== this.asked && other !== frame.token) {
        // Another tab became a visitor meanwhile; this one joins it.
        this.transcript.token = other;
        this.restart();
        return;
      }
      this.transcript.token = frame.token;
      this.transcript.save();
      this.welcomed = Date.now();
      this.whole = false;
      this.view.connected(true, frame.title);
      this.pump();
    }

    message(frame) {
      const { transcript } = this;
      let entry = transcript.find(frame.id);
      const at = Date.parse(frame.at) || Date.now();
      if (!entry && transcript.forgotten(at)) return;
      const isNew = !entry;
      if (isNew) {
        entry = { id: frame.id, at, content: frame.content, order: frame.order, seen: false };
        transcript.entries.push(entry);
      }
      if (this.view.watched) this.seen(entry);
      else this.say({ type: "delivered", id: entry.id });
      transcript.save();
      if (isNew) this.view.arrived(entry);
    }

    /** Tell that `entry` and all before it were read. */
    seen(entry) {
      if (!this.welcomed) return;
      this.say({ type: "seen", id: entry.id });
      for (const one of this.transcript.unseen) if (one.order <= entry.order) one.seen = true;
    }

    /** Send the first that waits. The next goes only after its answer, to keep the order. */
    pump() {
      const entry = this.transcript.waiting;
      if (!this.welcomed || this.flying || !entry) return;
      const { id, content } = entry;
      this.flying = id;
      if (content.kind === "text") this.say({ type: "send", id, text: content.text });
      else if (content.kind === "media") this.say({ type: "image", id, data: content.url });
      else this.say({ ...content, type: "choose", id, kind: undefined });
      this.patience = setTimeout(() => this.lost(), ACK_TIME);
    }

    answered(frame) {
      clearTimeout(this.patience);
      if (frame.type === "retry") {
        const pause = Math.max(1000 * (frame.after || 0), 500 * 2 ** Math.min(this.stores++, 6));
        this.again = setTimeout(() => {
          this.flying = null;
          this.pump();
        }, Math.min(LONGEST_PAUSE, pause) * (1 + Math.random() / 4));
        return;
      }
      const entry = this.transcript.find(frame.id);
      this.flying = null;
      this.stores = 0;
      if (entry) {
        entry.state = frame.type === "ack" ? "sent" : "refused";
        entry.reason = frame.reason;
        this.transcript.save();
        this.view.settled(entry);
      }
      this.pump();
    }
  }

  /** The element: shows the transcript and takes what is typed. */
  class SupportChat extends HTMLElement {
    connectedCallback() {
      const account = this.getAttribute("account");
      if (!account) {
        console.error('support-chat: the attribute "account" is missing');
        return;
      }
      const language = this.lang || navigator.language || "en";
      this.words = STRINGS[language.split("-")[0].toLowerCase()] || STRINGS.en;
      this.language = language;
      this.inline = this.hasAttribute("inline");
      const server = (this.getAttribute("server") || HOME).replace(/\/+$/, "");
      const url = `${server.replace(/^http/, "ws")}/chat/${encodeURIComponent(account)}`;
      this.transcript = new Transcript(`support-chat ${server} ${account}`);
      this.line = new Line(url, this.transcript, language, this);
      this.nodes = new Map();
      this.build();
      for (const entry of this.transcript.entries) this.show(entry);
      this.transcript.changed = (entry) => {
        this.show(entry);
        this.scroll();
      };
      this.listen();
      this.open = this.inline || this.hasAttribute("open");
      // Someone who never wrote costs no connection until they open the chat.
      if (this.open || this.transcript.token) this.line.start();
      this.refresh();
      this.scroll(true);
    }

    disconnectedCallback() {
      if (!this.line) return;
      this.line.stop();
      this.line = null;
      this.ears.abort();
      this.room.disconnect();
      clearTimeout(this.typingEnd);
      clearTimeout(this.offlineSoon);
    }

    build() {
      const { words } = this;
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      // A constructed sheet, for pages whose Content-Security-Policy forbids <style>.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      const button = (className, name, label, type = "button") => {
        const made = el("button", { className, type, "aria-label": label }, icon(name));
        made.title = label;
        return made;
      };
      this.heading = el("h2", { id: "title" }, this.getAttribute("title") || words.title);
      this.closer = button("icon close", "close", words.close);
      this.closer.hidden = this.inline;
      this.log = el("div", {
        className: "log", role: "log", tabIndex: 0, "aria-label": words.log,
        "aria-live": "polite", "aria-relevant": "additions",
      });
      this.dots = el("div", { className: "typing", role: "img", "aria-label": words.typing },
        el("i"), el("i"), el("i"));
      this.notice = el("p", { className: "notice", role: "status" });
      this.input = el("textarea", {
        rows: 1, maxLength: TEXT_LIMIT, placeholder: words.write, enterKeyHint: "send",
        dir: "auto", autocomplete: "off", "aria-label": words.write,
      });
      this.file = el("input", { type: "file", accept: "image/*", hidden: true });
      this.attach = button("icon attach", "attach", words.attach);
      this.form = el("form", {}, this.file, this.attach, this.input,
        button("icon send", "send", words.send, "submit"));
      this.panel = el("section",
        { className: "panel", id: "panel", role: this.inline ? "region" : "dialog",
          "aria-labelledby": "title" },
        el("header", {}, this.heading, this.closer), this.log, this.notice, this.form);
      this.badge = el("span", { className: "badge", hidden: true });
      this.launcher = button("launcher", "chat", words.open);
      this.launcher.setAttribute("aria-controls", "panel");
      this.launcher.append(this.badge);
      this.launcher.hidden = this.inline;
      // The empty title keeps the element's own title from showing up as a tooltip.
      root.replaceChildren(el("div", { className: "all", title: "" }, this.panel, this.launcher));
    }

    listen() {
      this.ears = new AbortController();
      const on = (target, event, does) =>
        target.addEventListener(event, does, { signal: this.ears.signal });
      on(this.launcher, "click", () => this.toggle(!this.open));
      on(this.closer, "click", () => this.toggle(false));
      on(this.panel, "keydown", (event) => {
        if (event.key === "Escape" && !this.inline) this.toggle(false);
      });
      on(this.form, "submit", (event) => {
        event.preventDefault();
        this.submit();
      });
      on(this.input, "keydown", (event) => {
        // Enter also ends the composition of an input method, and then sends nothing.
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.submit();
      });
      on(this.log, "scroll", () => {
        const { scrollHeight, scrollTop, clientHeight } = this.log;
        this.atEnd = scrollHeight - scrollTop - clientHeight < 60;
      });
      // Room is lost to notices, to longer drafts and to the keyboards of phones.
      this.room = new ResizeObserver(() => this.scroll());
      this.room.observe(this.log);
      on(this.input, "input", () => this.fit());
      on(this.input, "paste", (event) => {
        const image = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
        if (!image) return;
        event.preventDefault();
        this.picture(image);
      });
      on(this.attach, "click", () => this.file.click());
      on(this.file, "change", () => {
        if (this.file.files[0]) this.picture(this.file.files[0]);
        this.file.value = "";
      });
      on(document, "visibilitychange", () => {
        if (document.visibilityState !== "visible") return;
        this.line.nudge();
        this.look();
      });
      on(window, "online", () => this.line.restart());
      // An open socket would keep the page out of the browser's back/forward cache.
      on(window, "pagehide", () => this.line.drop());
      on(window, "pageshow", (event) => event.persisted && this.line.restart());
      on(window, "storage", (event) => {
        if (event.key !== this.transcript.key) return;
        const token = this.transcript.merge();
        if (token && token !== this.transcript.token) {
          this.transcript.token = token;
          if (this.line.welcomed) this.line.restart();
        }
        this.refresh();
        this.line.pump();
      });
    }

    /** Whether the customer can see what arrives. */
    get watched() {
      return this.open && document.visibilityState === "visible";
    }

    toggle(open) {
      this.open = open;
      this.toggleAttribute("open", open);
      this.refresh();
      if (!open) {
        this.launcher.focus();
        return;
      }
      this.line.start();
      this.look();
      this.scroll(true);
      this.input.focus();
    }

    /** Tell that everything shown was read. */
    look() {
      const { unseen } = this.transcript;
      if (!this.watched || !unseen.length) return;
      this.line.seen(unseen[unseen.length - 1]);
      this.transcript.save();
      this.refresh();
    }

    refresh() {
      const count = this.open ? 0 : this.transcript.unseen.length;
      this.panel.hidden = !this.open;
      this.launcher.setAttribute("aria-expanded", String(this.open));
      const label = this.open ? this.words.close : this.words.open;
      this.launcher.title = label;
      this.launcher.setAttribute("aria-label",
        count ? `${label} (${this.words.unread(count)})` : label);
      this.badge.hidden = !count;
      this.badge.textContent = count > 99 ? "99+" : String(count);
    }

    submit() {
      const text = this.input.value;
      if (!text.trim()) return;
      this.input.value = "";
      this.fit();
      this.write({ kind: "text", text });
    }

    async picture(file) {
      const url = await shrink(file);
      if (!this.line) return; // removed from the page meanwhile
      if (url) this.write({ kind: "media", type: "image", url });
      else this.tell(this.words.not_an_image);
    }

    choose(entry, option) {
      if (entry.chosen) return;
      entry.chosen = option.payload;
      this.show(entry);
      this.write({ kind: "choice", payload: option.payload, title: option.title, of: entry.id });
      this.input.focus({ preventScroll: true });
    }

    /** Keep what the customer said, before anything else can go wrong, then send it. */
    write(content) {
      const entry = { id: newId(), mine: true, at: Date.now(), content, state: "waiting" };
      this.transcript.entries.push(entry);
      this.transcript.save();
      this.show(entry);
      this.scroll(true);
      if (this.line.welcomed) this.tell("");
      this.line.start();
      this.line.pump();
    }

    connected(yes, title) {
      if (yes) {
        clearTimeout(this.offlineSoon);
        this.offlineSoon = null;
        if (title && !this.getAttribute("title")) this.heading.textContent = title;
        this.tell("");
        return;
      }
      this.typing(false);
      this.offlineSoon ??= setTimeout(() => this.tell(this.words.offline), OFFLINE_NOTICE_AFTER);
    }

    arrived(entry) {
      this.typing(false);
      this.show(entry);
      this.refresh();
      this.scroll();
    }

    settled(entry) {
      this.show(entry);
      const { entries } = this.transcript;
      if (entry.state === "sent" && entries[entries.length - 1].mine) this.typing(true);
    }

    typing(on) {
      clearTimeout(this.typingEnd);
      this.dots.remove();
      if (!on) return;
      this.log.append(this.dots);
      this.scroll();
      this.typingEnd = setTimeout(() => {
        this.dots.remove();
        if (this.doubted) return;
        // Perhaps nobody answers. But if the server's store was set back (restored from a
        // backup), its orders begin below ours: once, ask for everything.
        this.doubted = this.line.whole = true;
        this.line.restart();
      }, TYPING_TIME);
    }

    tell(text) {
      this.notice.textContent = text;
    }

    fit() {
      this.input.style.height = "auto";
      this.input.style.height = `${this.input.scrollHeight + 2}px`;
    }

    /** Show the newest message, unless the customer has scrolled back to read. */
    scroll(always = false) {
      if (always) this.atEnd = true;
      if (this.atEnd) this.log.scrollTop = this.log.scrollHeight;
    }

    /** Put an entry into the log, or draw it anew. */
    show(entry) {
      const { words } = this;
      const time = new Date(entry.at);
      const clock = time.toLocaleTimeString(this.language, { hour: "2-digit", minute: "2-digit" });
      const meta = el("div", { className: "meta" },
        el("time", { dateTime: time.toISOString() }, clock));
      if (entry.mine) {
        const label = words[entry.state === "refused" ? entry.reason : entry.state];
        meta.append(icon(entry.state, entry.state === "refused" ? "" : label));
        if (entry.state === "refused") meta.append(label || words.refused);
      }
      const className = `row ${entry.mine ? "mine" : "theirs"} ${entry.state || ""}`;
      const row = el("div", { className },
        el("div", { className: "bubble", dir: "auto" },
          el("span", { className: "aside" }, entry.mine ? words.you : words.them, " "),
          ...this.body(entry.content)),
        this.options(entry), meta);
      const old = this.nodes.get(entry.id);
      this.nodes.set(entry.id, row);
      if (old) old.replaceWith(row);
      else if (this.dots.isConnected) this.dots.before(row);
      else this.log.append(row);
    }

    options(entry) {
      if (entry.content.kind !== "choices") return null;
      return el("div", { className: "options", role: "group", "aria-label": entry.content.text },
        ...entry.content.options.map((option) => {
          const button = el("button",
            { type: "button", disabled: Boolean(entry.chosen),
              className: entry.chosen === option.payload ? "chosen" : "" },
            option.title, option.description ? el("small", {}, option.description) : null);
          if (entry.chosen) button.setAttribute("aria-pressed", entry.chosen === option.payload);
          button.onclick = () => this.choose(entry, option);
          return button;
        }));
    }

    /** The nodes that show a content; see `bot.message` for the kinds. */
    body(content) {
      const { words } = this;
      if (content.kind === "text" || content.kind === "choices") return linked(content.text);
      if (content.kind === "choice") return [content.title || content.payload];
      if (content.kind === "media") return this.media(content);
      if (content.kind === "location") {
        const { latitude, longitude, name, address } = content;
        const place = [name, address].filter(Boolean).join(", ");
        const [north, east] = [Number(latitude), Number(longitude)];
        const map = `https://www.openstreetmap.org/?mlat=${north}&mlon=${east}`;
        return [link(map, place || `${words.place}: ${north}, ${east}`)];
      }
      if (content.kind === "contact") {
        return [[content.name, ...(content.phones || []), ...(content.emails || [])].join("\n")];
      }
      return [words.unknown];
    }

    media(content) {
      const { words } = this;
      const caption = linked(content.caption || "");
      const image = content.type === "image" || content.type === "sticker";
      const src = image && safe(content.url, true);
      if (src) {
        const alt = content.caption || words.image;
        const picture = el("img", { alt, loading: "lazy", referrerPolicy: "no-referrer" });
        picture.onload = () => this.scroll();
        picture.src = src;
        return [picture, ...caption];
      }
      const label = content.filename || (image ? words.image : words.file);
      const href = safe(content.url);
      return [href ? link(href, label) : `[${label}]`, content.caption ? "\n" : "", ...caption];
    }
  }

  customElements.define("support-chat", SupportChat);

  if (script && script.dataset.account) {
    const chat = document.createElement("support-chat");
    for (const [name, value] of Object.entries(script.dataset)) chat.setAttribute(name, value);
    const add = () => document.body.append(chat);
    if (document.body) add();
    else document.addEventListener("DOMContentLoaded", add);
  }
})();
