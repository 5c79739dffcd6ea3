// Who holds each phone. Kept by the browser, so that a reload finds the same customers.

const NAMES = [
  "Anna Berg", "Ben Ito", "Carla Díaz", "Deniz Kaya", "Emma Rossi", "Farid Aziz",
  "Grace Okafor", "Hugo Martin", "Iris Novak", "Jonas Lind", "Keiko Mori", "Liam Byrne",
];
const KEPT = 8;

const digits = (count) =>
  Array.from(crypto.getRandomValues(new Uint8Array(count)), (n) => n % 10).join("");

// 555 numbers are nobody's.
const USERS = {
  telegram: () => `7${digits(8)}`,
  whatsapp: () => `1202555${digits(4)}`,
  messenger: () => `2${digits(15)}`,
  sms: () => `+1202555${digits(4)}`,
};

export const freshUser = (channel) => USERS[channel]();

// The customers of one phone, the one who holds it first.
export class Customers {
  constructor(channel) {
    this.channel = channel;
    this.key = `sandbox.customers.${channel}`;
    this.all = this.stored();
    if (!this.all.length) this.add();
  }

  stored() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key));
      return Array.isArray(found) ? found.filter((c) => c?.user && c?.name) : [];
    } catch {
      // Storage is off or holds something else; a new customer will do.
      return [];
    }
  }

  save() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.all));
    } catch {
      // The customers last as long as the page.
    }
  }

  get now() {
    return this.all[0];
  }

  add() {
    const [pick] = crypto.getRandomValues(new Uint8Array(1));
    const free = NAMES.filter((name) => !this.all.some((c) => c.name === name));
    const names = free.length ? free : NAMES;
    this.all = [{ user: freshUser(this.channel), name: names[pick % names.length] }, ...this.all].slice(0, KEPT);
    this.save();
  }

  // The same person, who has another phone as well.
  join({ user, name }) {
    const number = user.replace(/\D/g, "");
    const same = { user: this.channel === "sms" ? `+${number}` : number, name };
    this.all = [same, ...this.all.filter((c) => c.user !== same.user)].slice(0, KEPT);
    this.save();
  }

  take(user) {
    const chosen = this.all.find((c) => c.user === user);
    if (chosen) this.all = [chosen, ...this.all.filter((c) => c !== chosen)];
    this.save();
  }

  change(what) {
    Object.assign(this.now, what);
    this.save();
  }
}
