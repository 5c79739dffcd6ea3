// Which intents a model takes for which: a map of them, the messages, and the examples that cause it.

import { look } from "./api.js";
import { button, el } from "./dom.js";
import { bar, name, noFiles, percent, place, svg, table, tile, whole } from "./design_bits.js";

const LABEL = 158, TOP = 132;
const STATUS = { in_use: "in use", candidate: "candidate", retired: "retired", failed: "failed to load" };

export async function show(node, query, go) {
  node.classList.add("insight");
  const asked = { model: query.get("model") || "", against: query.get("against") || "" };
  const found = await look("design/matrix", asked);
  if (!found.models.length) {
    node.replaceChildren(el("div", { class: "empty" }, el("p", {}, "The store knows no model yet."), el("p", {}, "Run ", el("code", {}, "bot train"), ": it trains, measures the model on the held-out messages, and keeps what it found.")));
    return;
  }
  const pick = (label, key, empty) => el("label", { class: "pick" }, el("span", {}, label),
    el("select", { "aria-label": label, onchange: (event) => go("matrix", clean({ ...asked, model: found.model, [key]: event.target.value })) },
      empty && el("option", { value: "" }, empty),
      found.models.filter((m) => !empty || m.id !== found.model).map((m) => el("option", { value: m.id, selected: m.id === (empty ? asked.against : found.model) }, titled(m)))));
  const head = el("div", { class: "panel picks" }, pick("Model", "model"), pick("Compare with", "against", "nothing"));
  const m = found.measured;
  const parts = [head];
  if (found.changes) parts.push(changed(found.changes));
  if (!m) {
    const model = found.models.find((one) => one.id === found.model);
    parts.push(el("div", { class: "panel empty" },
      el("p", {}, model.examples ? `Of ${found.model} only the totals are known (${percent(model.accuracy, 1)} of ${model.examples} messages): it was measured before confusions were kept.` : `${found.model} was not measured: there is no held-out file, or it came without tests.`),
      el("p", {}, "Run ", el("code", {}, "bot train --force"), " to train and measure one anew; messages that training never sees belong in ", el("code", {}, "tests/nlu/heldout.yml"), ".")));
    node.replaceChildren(...parts);
    return;
  }
  parts.push(...drawn(m));
  node.replaceChildren(...parts);
}

const clean = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));
const titled = (m) => [m.id, STATUS[m.status] || m.status, m.accuracy !== null && percent(m.accuracy, 1), !m.measured && "no confusions kept"].filter(Boolean).join(" · ");

function drawn(m) {
  const wrong = m.cells.filter(([meant, got]) => meant !== got).sort((a, b) => b[2] - a[2]);
  const lost = m.examples - m.right;
  const worst = m.scores.filter((s) => s.f1 < 0.8).length;
  const causes = new Map(m.causes.map((one) => [one.cell.join(), one]));
  const detail = el("div", { class: "detail", "aria-live": "polite" });
  const list = el("ol", { class: "pairs" });
  let picked = "", only = true;
  const map = el("div", { class: "map scroll", tabindex: "0", "aria-label": "Map of confusions" });
  const open = (cell) => {
    picked = cell.slice(0, 2).join();
    detail.replaceChildren(explained(m, cell, causes.get(picked)));
    for (const one of [...list.querySelectorAll("[data-cell]"), ...map.querySelectorAll("[data-cell]")]) one.classList.toggle("picked", one.dataset.cell === picked);
  };
  list.append(...wrong.slice(0, 60).map((cell) => el("li", {}, button({ class: "pair", data: { cell: cell.slice(0, 2).join() }, onclick: () => open(cell) },
    el("b", {}, cell[2]), el("span", {}, name(m.intents[cell[0]]), el("i", {}, " understood as "), name(m.intents[cell[1]]))))));
  const redraw = () => { map.replaceChildren(heatmap(m, only, open)); if (picked) open(wrong.find((c) => c.slice(0, 2).join() === picked)); };
  const toggle = el("label", { class: "check" }, el("input", { type: "checkbox", checked: true, onchange: (event) => { only = event.target.checked; redraw(); } }), "Only intents that are confused");
  redraw();
  if (wrong.length) open(wrong[0]);
  return [
    el("div", { class: "tiles" },
      tile(percent(m.right / m.examples, 1), "understood rightly", `${whole(m.right)} of ${whole(m.examples)} held-out messages`),
      tile(whole(lost), "misunderstood", `${wrong.length} different confusions`),
      tile(whole(worst), "intents with F1 below 0.80", `of ${m.scores.length}`)),
    !m.files && noFiles(),
    el("section", { class: "panel" },
      el("div", { class: "row wrap" }, el("h2", {}, "What is taken for what"), el("span", { class: "grow" }), toggle),
      el("p", { class: "muted" }, "A row is what was meant, a column what was understood. Green is right, red is wrong; choose a red one to see why."),
      wrong.length ? el("div", { class: "two" }, map, el("div", {}, detail, el("h3", {}, "Commonest confusions"), list)) : el("p", { class: "empty" }, "Every held-out message was understood rightly.")),
    m.confidence.length === 3 && histogram(m.confidence),
    el("section", { class: "panel" }, el("h2", {}, "Intents"),
      el("p", { class: "muted" }, "Precision: of what was understood as this, how much was meant so. Recall: of what was meant so, how much was understood."),
      table([
        { title: "Intent", key: (s) => s.name, show: (s) => name(s.name) },
        { title: "F1", class: "number", key: (s) => s.f1, show: (s) => s.f1.toFixed(2) },
        { title: "", class: "bars", show: (s) => bar(s.f1, s.f1 < 0.8 ? "bad" : "good") },
        { title: "Precision", class: "number", key: (s) => s.precision, show: (s) => percent(s.precision) },
        { title: "Recall", class: "number", key: (s) => s.recall, show: (s) => percent(s.recall) },
        { title: "Messages", class: "number", down: true, key: (s) => s.messages, show: (s) => s.messages },
        { title: "Examples in", class: "wide", key: (s) => s.place, show: (s) => place(s.place) || "" },
      ], m.scores, { label: "Intents", sorted: 1, most: 20 })),
  ].filter(Boolean);
}

function heatmap(m, only, open) {
  const confused = new Set(m.cells.filter(([a, b]) => a !== b).flatMap(([a, b]) => [a, b]));
  const shown = m.intents.map((_, n) => n).filter((n) => !only || confused.has(n));
  const at = new Map(shown.map((n, i) => [n, i]));
  const CELL = shown.length <= 44 ? 19 : 15;
  const size = shown.length * CELL, most = Math.max(1, ...m.cells.filter(([a, b]) => a !== b).map((c) => c[2]));
  const meant = new Map();
  for (const [a, , n] of m.cells) meant.set(a, (meant.get(a) || 0) + n);
  const short = (n) => (m.intents[n].length > 23 ? `${m.intents[n].slice(0, 22)}…` : m.intents[n]);
  const parts = [svg("rect", { class: "ground", x: LABEL, y: TOP, width: size, height: size })];
  shown.forEach((n, i) => {
    const middle = i * CELL + CELL / 2;
    parts.push(svg("path", { class: "grid", d: `M${LABEL} ${TOP + (i + 1) * CELL}h${size}M${LABEL + (i + 1) * CELL} ${TOP}v${size}` }),
      svg("text", { x: LABEL - 6, y: TOP + middle + 3.5, "text-anchor": "end" }, short(n), svg("title", {}, m.intents[n])),
      svg("text", { transform: `translate(${LABEL + middle + 3.5} ${TOP - 6}) rotate(-62)` }, short(n), svg("title", {}, m.intents[n])));
  });
  for (const [a, b, n] of m.cells) {
    if (!at.has(a) || !at.has(b)) continue;
    const x = LABEL + at.get(b) * CELL, y = TOP + at.get(a) * CELL, right = a === b;
    const says = right ? `${m.intents[a]}: ${n} of ${meant.get(a)} right` : `${m.intents[a]} understood as ${m.intents[b]}: ${n} of ${meant.get(a)}`;
    const box = svg("rect", { class: right ? "hit" : "miss", x: x + 1, y: y + 1, width: CELL - 1, height: CELL - 1, rx: 2, "fill-opacity": right ? 0.15 + 0.55 * (n / meant.get(a)) : 0.4 + 0.6 * (n / most) });
    parts.push(right ? svg("g", {}, box, svg("title", {}, says))
      : svg("g", { class: "cell", role: "button", tabindex: "0", "aria-label": says, "data-cell": `${a},${b}`, onclick: () => open([a, b, n]), onkeydown: (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); open([a, b, n]); } } },
        box, svg("text", { x: x + CELL / 2 + 0.5, y: y + CELL / 2 + 4, "text-anchor": "middle" }, String(n)), svg("title", {}, says)));
  }
  const width = LABEL + size + 60, height = TOP + size + 2;
  return svg("svg", { class: "heat", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Confusions, rows are meant, columns are understood" }, parts);
}

function explained(m, [meant, got, count], cause) {
  const unsure = m.intents[got] === "nlu_fallback";
  const pull = (intent, text, at) => el("div", { class: "pull" }, el("span", { class: "chip" }, name(intent)), text ? el("q", {}, text) : el("span", { class: "muted" }, "has no examples"), at ? place(at) : text && el("span", { class: "muted" }, "no longer in the files"));
  return el("div", { class: "confusion" },
    el("h3", {}, name(m.intents[meant]), el("i", {}, " understood as "), name(m.intents[got]), el("span", { class: "chip" }, count === 1 ? "once" : `${count} times`)),
    cause ? cause.messages.map((said) => el("article", { class: "said" },
      el("p", { class: "words" }, el("q", {}, said.text), place(said.place)),
      pull(m.intents[meant], said.example, said.example_place), (said.other || !unsure) && pull(m.intents[got], said.other, said.other_place))) : el("p", { class: "muted" }, "Of so rare a confusion no texts were kept."),
    cause && el("p", { class: "muted" }, unsure ? "No intent was near enough. Add an example like it to the intent that was meant." : "The two examples are the nearest of either intent. Move, change or remove one of them, or add one like the message."));
}

function histogram([right, wrong, unsure]) {
  const most = Math.max(1, ...right.map((n, i) => n + wrong[i] + unsure[i]));
  // By its root, so that the few that are wrong can be seen beside the many that are right.
  const high = (n) => Math.sqrt(n / most) * 110;
  const columns = right.map((n, i) => {
    const all = n + wrong[i] + unsure[i], x = 10 + i * 60;
    let y = 130;
    const part = (count, kind) => { if (!count) return null; const h = high(all) * (count / all); y -= h; return svg("rect", { class: kind, x, y, width: 44, height: h }); };
    return svg("g", {}, part(n, "hit"), part(unsure[i], "unsure"), part(wrong[i], "miss"), all > 0 && svg("text", { x: x + 22, y: y - 4, "text-anchor": "middle" }, String(all)),
      svg("text", { x: x + 22, y: 145, "text-anchor": "middle" }, `${i * 10}–${i * 10 + 10} %`), svg("title", {}, `confidence ${i * 10} to ${i * 10 + 10} %: ${n} right, ${wrong[i]} wrong, ${unsure[i]} not sure enough`));
  });
  return el("section", { class: "panel" }, el("h2", {}, "How sure it was"),
    el("div", { class: "keys" }, el("span", { class: "key hit" }, "right"), el("span", { class: "key miss" }, "wrong"), el("span", { class: "key unsure" }, "not sure enough for any intent")),
    el("div", { class: "scroll" }, svg("svg", { class: "histogram", width: 610, height: 152, viewBox: "0 0 610 152", role: "img", "aria-label": "Messages by confidence" }, columns)),
    el("p", { class: "muted" }, "Heights are roots of the numbers. Much red on the right: examples pull the wrong way. Much yellow: too few examples, or a threshold that is too high."));
}

function changed(c) {
  if (!c.measured) return el("div", { class: "panel hint" }, "One of the two was not measured, there is nothing to compare.");
  const sign = (x, digits) => `${x > 0 ? "+" : x < 0 ? "−" : "±"}${Math.abs(x).toFixed(digits)}`;
  const points = c.accuracy[0] !== null && c.accuracy[1] !== null ? (c.accuracy[1] - c.accuracy[0]) * 100 : null;
  const lines = (rows, title, kind) => el("div", {}, el("h3", {}, title), rows.length ? el("ul", { class: "changes" }, rows.map((r) => el("li", {}, el("b", { class: kind(r) }, r.told), " ", r.what))) : el("p", { class: "muted" }, "None."));
  const intents = c.intents.map((i) => ({ by: i.after - i.before, told: sign((i.after - i.before) * 100, 0), what: [...name(i.name), ` F1 ${i.before.toFixed(2)} → ${i.after.toFixed(2)}, ${i.messages} messages`] }));
  const pairs = (c.pairs || []).map((p) => ({ by: p.before - p.after, told: `${p.before} → ${p.after}`, what: [...name(p.intent), " understood as ", ...name(p.predicted)] })).sort((a, b) => a.by - b.by);
  const kind = (r) => (r.by > 0 ? "better" : "worse");
  return el("section", { class: "panel" }, el("h2", {}, "Against the other model"),
    el("p", {}, points !== null && [el("b", { class: points < 0 ? "worse" : "better" }, `${sign(points, 1)} points`), ` of accuracy, ${percent(c.accuracy[0], 1)} → ${percent(c.accuracy[1], 1)}. `],
      c.added.length > 0 && `New: ${c.added.join(", ")}. `, c.removed.length > 0 && `Gone: ${c.removed.join(", ")}. `),
    !c.alike && el("p", { class: "hint" }, "The held-out file changed between the two: numbers of intents whose messages changed do not compare."),
    el("div", { class: "three" }, lines(intents.filter((r) => r.by < 0), "Worse", kind), lines(intents.filter((r) => r.by > 0).reverse(), "Better", kind),
      c.pairs ? lines(pairs.slice(0, 25), "Confusions that changed", kind) : el("div", {}, el("h3", {}, "Confusions that changed"), el("p", { class: "muted" }, "Known for models measured from now on."))));
}
