/** Draw a picture so that its longer side is at most `side`. */
function scaled(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = el("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // JPEG has no transparency
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Make a picture ready to be sent: {blob, thumb, name}, null when the browser cannot read it.
 *
 * It is drawn anew, as a JPEG that goes over a phone's line and does not tell where it was
 * taken; a GIF stays, for it may move. `thumb` is a small data URL for this browser's memory.
 */
async function prepared(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return null;
  }
  const thumb = scaled(bitmap, THUMB_SIDE).toDataURL("image/jpeg", 0.7);
  if (file.type === "image/gif") return { blob: file, thumb, name: file.name };
  const canvas = scaled(bitmap, IMAGE_SIDE);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return blob && { blob, thumb, name: file.name.replace(/(\.[^.]*)?$/, ".jpg") };
}

/** Files that wait to be sent, by message id: in IndexedDB, for they must outlive the page. */
class Files {
  constructor(name) {
    this.here = new Map();
    this.name = name;
  }

  /** The database, or null where the browser gives none. */
  get store() {
    this.opened ??= new Promise((done) => {
      try {
        const asked = indexedDB.open(this.name, 1);
        asked.onupgradeneeded = () => asked.result.createObjectStore("files");
        asked.onsuccess = () => done(asked.result);
        asked.onerror = asked.onblocked = () => done(null);
      } catch {
        done(null);
      }
    });
    return this.opened;
  }

  async ask(mode, does) {
    const store = await this.store;
    if (!store) return undefined;
    return new Promise((done) => {
      try {
        const deal = store.transaction("files", mode);
        const asked = does(deal.objectStore("files"));
        deal.oncomplete = () => done(asked.result);
        deal.onerror = deal.onabort = () => done(undefined);
      } catch {
        done(undefined);
      }
    });
  }

  async put(id, blob) {
    this.here.set(id, blob);
    await this.ask("readwrite", (files) => files.put(blob, id));
  }

  async get(id) {
    return this.here.get(id) || (await this.ask("readonly", (files) => files.get(id)));
  }

  /** Forget a file that was sent. This page keeps it as long as it is there, to show it. */
  async sent(id) {
    await this.ask("readwrite", (files) => files.delete(id));
  }

  /** An address to show a file of this page under, null when it is not here. */
  address(id) {
    const blob = this.here.get(id);
    if (!blob) return null;
    this.addresses ??= new Map();
    if (!this.addresses.has(id)) this.addresses.set(id, URL.createObjectURL(blob));
    return this.addresses.get(id);
  }
}

/** A voice note being recorded. */
class Recording {
  /** The best format this browser records and others play; null when it records none. */
  static get type() {
    if (!navigator.mediaDevices || typeof MediaRecorder === "undefined") return null;
    const types = ["audio/mp4", "audio/webm;codecs=opus", "audio/webm", "audio/ogg;codecs=opus"];
    return types.find((type) => MediaRecorder.isTypeSupported(type)) || null;
  }

  /** Ask for the microphone and begin; throws when it is not given. */
  static async begin() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return new Recording(stream);
  }

  constructor(stream) {
    const parts = [];
    this.stream = stream;
    this.began = Date.now();
    this.recorder = new MediaRecorder(stream, {
      mimeType: Recording.type, audioBitsPerSecond: 32000,
    });
    this.recorder.ondataavailable = (event) => parts.push(event.data);
    this.whole = new Promise((done) => {
      this.recorder.onstop = () => done(new Blob(parts, { type: this.recorder.mimeType }));
    });
    this.recorder.start(1000);
  }

  get seconds() {
    return Math.floor((Date.now() - this.began) / 1000);
  }

  /** Give the microphone back and return what was recorded. */
  async end() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    const blob = await this.whole;
    for (const track of this.stream.getTracks()) track.stop();
    return blob;
  }
}
