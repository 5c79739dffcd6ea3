// What is said of lessons in words.

export const REASONS = { unsure: "Not sure", corrected: "Corrected", rated: "Rated badly", handed: "Handed over" };
export const WHY = {
  unsure: "The bot was not sure what was meant", corrected: "The customer said that it was not meant so",
  rated: "The case that followed was rated badly", handed: "A person had to take over",
};
export const percent = (part) => `${Math.round(part * 100)} %`;
export const place = (written) => `${written.file}:${written.line}`;

export function outcome(written) {
  const where = place(written);
  if (!written.new) return `It stands in ${where} already.`;
  return `Written to ${where}${written.moved ? `, taken away from ${written.moved}` : ""}.`;
}
