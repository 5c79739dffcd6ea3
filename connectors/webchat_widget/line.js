/** The frame that says a content; see `connectors.webchat` for the frames. */
function frameOf({ id, content, reply_to }) {
  const { kind, ...fields } = content;
  const types = { text: "send", choice: "choose", deletion: "delete", reaction: "react" };
  return { ...fields, type: types[kind] || kind, id, reply_to };
}

/** The connection: says hello, sends what waits one by one, and never gives up. */
class Line {
  constructor(url, transcript, files, language, view) {
    Object.assign(this, { url, transcript, files, language, view });
    this.socket = null;
    this.welcomed = 0; // when, 0 before
    this.flying = null; // the id that waits for its answer
    this.tries = 0;
    this.stores = 0;
    this.whole = false; // ask for the conversation from its beginning
    this.stopped = true;
    this.introduced = false; // the gateway knows which page this is
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
    if (this.upload) this.upload.abort();
    const socket = this.socket;
    this.socket = this.upload = null;
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
      socket = new WebSocket(this.url.replace(/^http/, "ws"));
    } catch (error) {
      console.error("support-chat: the server attribute is not an address", error);
      return;
    }
    this.socket = socket;
    this.patience = setTimeout(() => this.lost(), ACK_TIME);
    socket.onopen = () => {
      const { token, after } = this.transcript;
      const hello = { type: "hello", token, after: this.whole ? 0 : after };
      this.say({ ...hello, language: this.language, ...(this.introduced ? {} : pageOf()) });
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
    else if (frame.id && frame.id === this.flying) this.answered(frame);
    else if (frame.type === "error") console.warn("support-chat:", frame.reason);
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
      const { id, content, styled, order, agent } = frame;
      entry = { id, at, content, styled, order, agent, seen: false };
      transcript.entries.push(entry);
    }
    const read = transcript.answered(frame.answers);
    if (this.view.watched) this.seen(entry);
    else this.say({ type: "delivered", id: entry.id });
    transcript.save();
    for (const one of read) this.view.show(one);
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
    this.flying = entry.id;
    if (entry.content.kind === "media") {
      this.post(entry);
      return;
    }
    this.say(frameOf(entry));
    this.patience = setTimeout(() => this.lost(), ACK_TIME);
  }

  /** Send a file, by HTTP. */
  async post(entry) {
    const { id, content, reply_to } = entry;
    const upload = (this.upload = new AbortController());
    this.patience = setTimeout(() => upload.abort(), UPLOAD_TIME);
    let answer = { type: "retry", id, after: 2 };
    const blob = await this.files.get(id);
    if (blob) {
      const voice = content.type === "voice";
      const frame = { type: "file", id, filename: content.filename, voice, reply_to };
      const headers = {
        Authorization: `Bearer ${this.transcript.token}`,
        "Content-Type": blob.type || "application/octet-stream",
        "X-Chat-Message": encodeURIComponent(JSON.stringify(frame)),
      };
      const how = { method: "POST", headers, body: blob, signal: upload.signal, credentials: "omit" };
      try {
        answer = await (await fetch(`${this.url}/files`, how)).json();
      } catch {
        // No answer, or a proxy's own: it is tried again.
      }
    } else {
      // Another tab may have it, or have sent it just now.
      this.transcript.merge();
      const lost = entry.state === "waiting" && Date.now() - entry.at > 60000;
      if (lost) answer = { type: "refused", id, reason: "lost_file" };
    }
    if (this.upload !== upload) return; // the connection was begun anew meanwhile
    this.upload = null;
    if (this.flying === id) this.answered(answer);
  }

  answered(frame) {
    clearTimeout(this.patience);
    const id = this.flying;
    if (frame.type === "retry") {
      const pause = Math.max(1000 * (frame.after || 0), 500 * 2 ** Math.min(this.stores++, 6));
      this.again = setTimeout(() => {
        this.flying = null;
        this.pump();
      }, Math.min(LONGEST_PAUSE, pause) * (1 + Math.random() / 4));
      return;
    }
    const entry = this.transcript.find(id);
    this.flying = null;
    this.stores = 0;
    if (entry && entry.state === "waiting") {
      const taken = frame.type === "ack";
      if (!taken) console.warn("support-chat:", frame.reason);
      this.introduced ||= taken && entry.content.kind !== "media";
      this.transcript.settle(entry, taken ? "sent" : "refused", frame.reason);
      this.transcript.save();
      if (entry.content.kind === "media") this.files.sent(id);
      this.view.settled(entry);
    }
    this.pump();
  }
}
