// Files made on the spot, so that customers have something to send.

import { ogg } from "./ogg.js";

const RATE = 48000;
const HUES = [212, 28, 152, 268, 340];

let made = 0;

function canvas(width, height) {
  const board = document.createElement("canvas");
  Object.assign(board, { width, height });
  return [board, board.getContext("2d")];
}

function parcel(pen, x, y, size) {
  pen.fillStyle = "#c8965a";
  pen.fillRect(x, y, size, size * 0.72);
  pen.fillStyle = "#b07f45";
  pen.fillRect(x, y, size, size * 0.14);
  pen.fillStyle = "#f3e3c3";
  pen.fillRect(x + size * 0.43, y, size * 0.14, size * 0.72);
  pen.fillStyle = "#ffffffd0";
  pen.fillRect(x + size * 0.07, y + size * 0.44, size * 0.28, size * 0.2);
  pen.fillStyle = "#444";
  for (let n = 0; n < 7; n++) pen.fillRect(x + size * (0.1 + n * 0.032), y + size * 0.48, size * (n % 3 ? 0.012 : 0.02), size * 0.09);
}

function photo(hue, width = 900, height = 675) {
  const [board, pen] = canvas(width, height);
  const sky = pen.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 60% 82%)`);
  sky.addColorStop(1, `hsl(${hue} 45% 95%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = `hsl(${hue} 22% 68%)`;
  pen.fillRect(0, height * 0.72, width, height * 0.28);
  pen.fillStyle = "#0002";
  pen.beginPath();
  pen.ellipse(width / 2, height * 0.83, width * 0.3, height * 0.05, 0, 0, 7);
  pen.fill();
  parcel(pen, width * 0.28, height * 0.3, width * 0.44);
  return board;
}

// At once: `toBlob` waits until a busy browser is idle.
function blob(board, type, quality) {
  const [, data] = board.toDataURL(type, quality).split(",");
  return new Blob([Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0))], { type });
}

export async function image() {
  const hue = HUES[made++ % HUES.length];
  return { blob: blob(photo(hue), "image/png"), name: `parcel-${made}.png`, type: "image" };
}

export async function sticker() {
  const [board, pen] = canvas(512, 512);
  pen.translate(256, 256);
  pen.fillStyle = "#fff";
  pen.beginPath();
  pen.arc(0, 0, 236, 0, 7);
  pen.fill();
  pen.fillStyle = "#ffce3d";
  pen.beginPath();
  pen.arc(0, 0, 212, 0, 7);
  pen.fill();
  pen.fillStyle = "#5b3a00";
  for (const x of [-78, 78]) {
    pen.beginPath();
    pen.ellipse(x, -52, 26, 38, 0, 0, 7);
    pen.fill();
  }
  pen.beginPath();
  pen.arc(0, 24, 116, 0.15, Math.PI - 0.15);
  pen.fill();
  pen.fillStyle = "#ff6f61";
  pen.beginPath();
  pen.ellipse(0, 112, 60, 30, 0, 0, 7);
  pen.fill();
  return { blob: blob(board, "image/webp", 0.9), name: "smile.webp", type: "sticker" };
}

// Something like a voice: a tone that wavers, in syllables.
function tone(length, pitch) {
  return Float32Array.from({ length: RATE * length }, (_, n) => {
    const at = n / RATE;
    const loud = 0.25 * Math.max(0, Math.sin(at * 7)) * Math.min(1, at * 8, (length - at) * 8);
    return loud * Math.sin(2 * Math.PI * (pitch + 25 * Math.sin(at * 3)) * at);
  });
}

function wav(samples) {
  const data = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const word = (at, text) => [...text].forEach((sign, n) => data.setUint8(at + n, sign.charCodeAt(0)));
  word(0, "RIFF");
  data.setUint32(4, 36 + samples.length * 2, true);
  word(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, RATE, true);
  data.setUint32(28, RATE * 2, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  word(36, "data");
  data.setUint32(40, samples.length * 2, true);
  samples.forEach((value, n) => data.setInt16(44 + n * 2, value * 32767, true));
  return new Blob([data], { type: "audio/wav" });
}

// The sandbox makes files in which its own models find these words again.
async function spoken(kind, text) {
  const answer = await fetch(`/control/llm/${kind}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) });
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.blob();
}

export async function label(words) {
  return { blob: await spoken("picture", words || "Larkfield Goods\nOrder 1042"), name: "label.png", type: "image" };
}

export async function voice(words) {
  if (words) return { blob: await spoken("voice", words), name: "voice.ogg", type: "voice" };
  const samples = tone(3, 180);
  try {
    return { blob: await ogg(samples), name: "voice.ogg", type: "voice" };
  } catch {
    return { blob: wav(samples), name: "voice.wav", type: "voice" };
  }
}

export async function audio() {
  return { blob: wav(tone(4, 330)), name: "melody.wav", type: "audio" };
}

const FILMS = ["video/mp4;codecs=avc1", "video/mp4;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

export async function video() {
  const mimeType = FILMS.find((type) => MediaRecorder.isTypeSupported(type));
  const [board, pen] = canvas(480, 360);
  const stage = photo(HUES[made++ % HUES.length], 480, 360);
  const recorder = new MediaRecorder(board.captureStream(25), { mimeType });
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done));
  recorder.start();
  for (let frame = 0; frame < 38; frame++) {
    pen.drawImage(stage, 0, 0);
    pen.fillStyle = "#fffb";
    pen.fillRect(0, 340, (480 * frame) / 37, 20);
    await new Promise((next) => setTimeout(next, 40));
  }
  recorder.stop();
  await stopped;
  const ending = mimeType.startsWith("video/mp4") ? "mp4" : "webm";
  return { blob: new Blob(parts, { type: mimeType }), name: `unpacking.${ending}`, type: "video" };
}

export async function pdf() {
  const text = "BT /F1 24 Tf 72 760 Td (Receipt 1042) Tj 0 -40 Td /F1 14 Tf (Oak desk lamp, 79.00 EUR) Tj ET";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let body = "%PDF-1.4\n";
  const places = objects.map((object, n) => {
    const at = body.length;
    body += `${n + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = body.length;
  const rows = places.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`;
  body += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return { blob: new Blob([body], { type: "application/pdf" }), name: "receipt-1042.pdf", type: "document" };
}

// How a chosen file is sent: as what its type says.
export function chosen(file) {
  const top = file.type.split("/")[0];
  const type = ["image", "video", "audio"].includes(top) ? top : "document";
  return { blob: file, name: file.name, type };
}
