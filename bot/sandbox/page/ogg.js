// A voice note as phones record it: Opus packets in an Ogg file.
// https://www.rfc-editor.org/rfc/rfc3533 (Ogg), https://www.rfc-editor.org/rfc/rfc7845 (Opus in it)

const RATE = 48000;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

function checksum(data) {
  let value = 0;
  for (const byte of data) value = ((value << 8) ^ TABLE[((value >>> 24) ^ byte) & 255]) >>> 0;
  return value;
}

function page(packets, { flags, position, serial, number }) {
  // A packet's length is written as a row of 255s and what remains.
  const lacing = packets.flatMap((p) => [...Array(Math.floor(p.length / 255)).fill(255), p.length % 255]);
  const size = packets.reduce((sum, p) => sum + p.length, 0);
  const data = new Uint8Array(27 + lacing.length + size);
  const view = new DataView(data.buffer);
  data.set([79, 103, 103, 83, 0, flags]); // OggS
  view.setBigUint64(6, BigInt(position), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, number, true);
  data[26] = lacing.length;
  data.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    data.set(packet, at);
    at += packet.length;
  }
  view.setUint32(22, checksum(data), true);
  return data;
}

function head() {
  const data = new Uint8Array(19);
  const view = new DataView(data.buffer);
  data.set(new TextEncoder().encode("OpusHead"));
  data.set([1, 1], 8); // version, channels
  view.setUint16(10, 312, true);
  view.setUint32(12, RATE, true);
  return data;
}

function tags() {
  const vendor = new TextEncoder().encode("frontdesk");
  const data = new Uint8Array(16 + vendor.length);
  data.set(new TextEncoder().encode("OpusTags"));
  new DataView(data.buffer).setUint32(8, vendor.length, true);
  data.set(vendor, 12);
  return data;
}

// Encode mono samples (48 kHz, -1 to 1). Rejects where the browser has no Opus encoder.
export async function ogg(samples) {
  const packets = [];
  let failure;
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      packets.push({ data, samples: Math.round((chunk.duration * RATE) / 1e6) });
    },
    error: (error) => (failure = error),
  });
  encoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: 24000 });
  const audio = new AudioData({
    format: "f32", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1, timestamp: 0, data: samples,
  });
  encoder.encode(audio);
  await encoder.flush();
  encoder.close();
  audio.close();
  if (failure || !packets.length) throw failure || new Error("no Opus");
  const serial = crypto.getRandomValues(new Uint32Array(1))[0];
  const pages = [
    page([head()], { flags: 2, position: 0, serial, number: 0 }),
    page([tags()], { flags: 0, position: 0, serial, number: 1 }),
  ];
  let position = 0;
  for (let at = 0; at < packets.length; at += 50) {
    const some = packets.slice(at, at + 50);
    position += some.reduce((sum, p) => sum + p.samples, 0);
    const flags = at + 50 >= packets.length ? 4 : 0;
    pages.push(page(some.map((p) => p.data), { flags, position, serial, number: pages.length }));
  }
  return new Blob(pages, { type: "audio/ogg" });
}
