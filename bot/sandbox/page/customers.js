// Who holds each phone. Kept by the browser, so that a reload is the same customer.

const NAMES = [
  "Anna Berg", "Ben Ito", "Carla Díaz", "Deniz Kaya", "Emma Rossi", "Farid Aziz",
  "Grace Okafor", "Hugo Martin", "Iris Novak", "Jonas Lind", "Keiko Mori", "Liam Byrne",
];

const digits = (count) =>
  Array.from(crypto.getRandomValues(new Uint8Array(count)), (n) => n % 10).join("");

const USERS = {
  telegram: () => `7${digits(8)}`,
  whatsapp: () => `1555${digits(7)}`,
};

function made(channel) {
  const [pick] = crypto.getRandomValues(new Uint8Array(1));
  return { user: USERS[channel](), name: NAMES[pick % NAMES.length] };
}

export function customer(channel, fresh = false) {
  const key = `sandbox.${channel}`;
  try {
    const known = JSON.parse(localStorage.getItem(key));
    if (known?.user && known?.name && !fresh) return known;
  } catch {
    // Storage is off or holds something else; a new customer will do.
  }
  const found = made(channel);
  try {
    localStorage.setItem(key, JSON.stringify(found));
  } catch {
    // The customer lasts as long as the page.
  }
  return found;
}
