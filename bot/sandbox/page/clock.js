// The clock of a phone, which can be put back: what its customer writes is claimed to be old.

const HOUR = 3600_000;

export class Clock {
  constructor(changed) {
    this.hours = 0;
    this.changed = changed;
  }

  put(hours) {
    this.hours = Math.min(8000, Math.max(0, hours));
    this.changed();
  }

  get moved() {
    return this.hours > 0;
  }

  get now() {
    return new Date(Date.now() - this.hours * HOUR);
  }

  // When a message is claimed to be written; undefined is now.
  get sent() {
    return this.moved ? this.now.toISOString() : undefined;
  }

  get words() {
    const days = Math.floor(this.hours / 24);
    const hours = Math.round((this.hours - days * 24) * 10) / 10;
    const parts = [days && `${days} day${days > 1 ? "s" : ""}`, hours && `${hours} h`];
    return this.moved ? parts.filter(Boolean).join(" ") : "now";
  }
}

// Whether something at `at` comes later than the window after `heard` is open; both ISO.
export function beyond(heard, at, hours) {
  return Boolean(hours && heard && new Date(at) - new Date(heard) > hours * HOUR);
}

const DAY = 24 * HOUR;

// The heading of a day's messages.
export function day(iso) {
  const then = new Date(iso);
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (then >= midnight) return "Today";
  if (then >= midnight - DAY) return "Yesterday";
  return then.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
}
