// Times, names and states in words.

const CHANNELS = { whatsapp: "WhatsApp", telegram: "Telegram", messenger: "Messenger", sms: "SMS", webchat: "Web chat" };
export const channelName = (channel) => CHANNELS[channel] || channel;

export const STATUS = {
  queued: ["…", "waits to be sent"], sending: ["…", "is being sent"], unknown: ["?", "no answer from the provider yet"],
  sent: ["✓", "sent"], delivered: ["✓✓", "delivered"], read: ["✓✓ read", "read"],
  failed: ["! not delivered", "could not be delivered"], held: ["held", "waits until the customer writes"], dropped: ["not sent", "was not sent"],
};

export const topicName = (topic) => (topic || "").replaceAll("_", " ");
export const clock = (iso) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

export function day(iso) {
  const at = new Date(iso), now = new Date();
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", ...(at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
}

export function when(iso) {
  if (!iso) return "";
  return day(iso) === "Today" ? clock(iso) : `${new Date(iso).toLocaleDateString([], { day: "numeric", month: "short" })} ${clock(iso)}`;
}

export const date = (iso) => (iso ? new Date(iso).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" }) : "");

export function span(ms) {
  const minutes = Math.floor(Math.max(0, ms) / 60000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// How a wait stands: its words, and "late", "soon" or "".
export function waiting(since, due) {
  if (!since) return null;
  const now = Date.now(), left = due ? new Date(due) - now : Infinity;
  const state = left <= 0 ? "late" : left < 10 * 60000 ? "soon" : "";
  return { text: span(now - new Date(since)), state, title: due ? `waiting since ${when(since)}, answer due ${when(due)}` : `waiting since ${when(since)}` };
}

export function language(code) {
  if (!code) return "";
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}

export function mood(value, frustrated) {
  if (frustrated) return ["Frustrated", "bad"];
  if (typeof value !== "number") return null;
  if (value < -0.25) return ["Unhappy", "warn"];
  if (value > 0.25) return ["Friendly", "good"];
  return ["Neutral", ""];
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${Math.round(size / 1024)} kB` : `${(size / 1048576).toFixed(1)} MB`;
}
