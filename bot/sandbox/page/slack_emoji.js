// Slack's shortcodes of emoji. An unknown one stays as it was written, between colons.

import { NAMED } from "./slack_emoji_names.js";

const words = NAMED.trim().split(/\s+/);
const EMOJI = new Map(words.flatMap((word, n) => (n % 2 ? [] : [[word, words[n + 1]]])));

const TONES = ["\u{1F3FB}", "\u{1F3FC}", "\u{1F3FD}", "\u{1F3FE}", "\u{1F3FF}"];
// A flag is its country's two letters, each as far from A as in the alphabet.
const FLAG_A = 0x1f1e6 - 97;

// The emoji of a name without colons, "wave", "wave::skin-tone-3" or "flag-gb"; "" if unknown.
export function emoji(name) {
  const [base, tone] = name.split("::skin-tone-");
  const [, country] = base.match(/^flag-([a-z]{2})$/) || [];
  if (country) return String.fromCodePoint(...Array.from(country, (letter) => letter.charCodeAt(0) + FLAG_A));
  const found = EMOJI.get(base);
  return found ? found.replace(tone ? "\uFE0F" : "", "") + (TONES[tone - 2] || "") : "";
}

// What is offered to react with.
export const REACTIONS = ["white_check_mark", "eyes", "raised_hands", "+1", "heart", "tada", "joy", "thinking_face", "pray", "warning"];
