// What a person sees: tables of numbers beside the code of their cells. Texts are never HTML here.

const CHUNK = 40; // columns of a wide row, or tokens of the vocabulary, that are shown at first
const $ = (id) => document.getElementById(id);
const said = JSON.parse($("model").textContent);
const say = (key, parts = {}) => said.words[key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
const says = (...keys) => keys.map((key) => say(key));
const visible = (text) =>
  text.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/\p{Cc}/gu, "·")
    .replace(/^\s+$/, (all) => "␣".repeat(all.length));

const now = { block: 0, head: null, marked: null, ids: [], asked: 0, vocabulary: [] };
const values = { get "tokens.id"() { return now.ids.map((id) => [id]); } }; // a row for each token
for (const { name } of said.cells) values[name] = [];
const textOf = (t) => now.vocabulary[now.ids[t]] ?? "";
const percent = (share, digits) => `${(100 * share).toFixed(digits)} %`;

// Where cells are shown; those of a block show the block that is chosen.
const places = [...document.querySelectorAll(".cell")];
const part = (place, name) => place.querySelector(`.${name}`);
const nameOf = (place) => place.dataset.name.replace("h.b.", `h.${now.block}.`);
const cellOf = (place) => said.cells.find(({ name }) => name === nameOf(place));

// --- from a description to the screen ------------------------------------------------------------

// Makes the children of an element as they are described: [tag, properties, ...children] each.
// What is there already stays, with its focus and how far it was scrolled.
function show(parent, parts) {
  parts.forEach(([tag, properties, ...children], i) => {
    const child = parent.children[i] ?? parent.appendChild(document.createElement(tag));
    for (const name in properties)
      if (child[name] !== properties[name]) child[name] = properties[name];
    if (!("textContent" in properties)) show(child, children);
  });
  while (parent.children.length > parts.length) parent.lastChild.remove();
}

const element = (tag) => (textContent, className = "") => [tag, { textContent, className }];
const [td, th, span, small] = ["td", "th", "span", "small"].map(element);

const table = (heads, lines, caption = "", className = "") =>
  ["table", { className }, ["caption", { textContent: caption }],
    ["thead", {}, ["tr", {}, ...heads.map((text) => th(text))]], ["tbody", {}, ...lines]];
const line = (number, text, cells, className = "") =>
  ["tr", { className }, ["th", {}, small(number), span(` ${text}`)], ...cells];
const lineOf = (t, cells) => line(t + 1, textOf(t), cells, t === now.marked ? "marked" : "");

// A token's number with a colour; hatched where there is none. `column` is its place in the row.
// The first one can be reached by the keyboard, the others from there by arrow keys.
function number(value, digits, largest, at, column) {
  const textContent = value?.toFixed(digits) ?? "";
  const className = value === undefined ? "masked" : tint(value / largest);
  return ["td", { textContent, className, tabIndex: at || column ? -1 : 0, at, column }];
}

const tint = (share) => (share > 0 ? "p" : "n") + Math.round(7 * Math.abs(share));
const largestOf = (rows) =>
  rows.flatMap((row) => [...row]).reduce((most, v) => Math.max(most, Math.abs(v)), 1e-9);

// --- the tables of a cell ------------------------------------------------------------------------

function rowTable(rows, shown) {
  const some = rows.map((row) => [...row.slice(0, shown)]);
  const largest = largestOf(some);
  const lines = some.map((row, t) => lineOf(t, row.map((v, i) => number(v, 3, largest, t, i))));
  return [table([say("column token"), ...some.find((row) => row.length).keys()], lines)];
}

function headTables(rows, shown, { parts }) {
  const largest = largestOf(rows);
  const heads = [say("column token"), ...rows.map((_, t) => textOf(t))];
  const cell = (head, row, t, other) => {
    const width = row.length / parts; // of what the head sees: up to the token itself
    const i = other + width - t - 1;
    const value = i < 0 || i >= width ? undefined : row[head * width + i];
    return number(value, 2, largest, t, head * width + i);
  };
  return Array.from({ length: parts }, (_, head) => {
    const cells = (row, t) => rows.map((_, other) => cell(head, row, t, other));
    const lines = rows.map((row, t) => lineOf(t, cells(row, t)));
    return table(heads, lines, say("head", { number: head }), head === now.head ? "here" : "");
  });
}

const likeliest = (row, count) => [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, count);

// The vocabulary, the likeliest first; a column is a token of the text.
function vocabularyTable(rows, shown, { name }) {
  const columns = [...rows.keys()].filter((t) => rows[t].length);
  const order = likeliest(rows[columns.at(-1)], shown);
  const largest = largestOf(columns.map((t) => order.map((id) => rows[t][id])));
  const cell = (id) => (t) => number(rows[t][id], name === "softmax" ? 4 : 3, largest, t, id);
  const lines = order.map((id) => line(id, now.vocabulary[id], columns.map(cell(id))));
  return [table([say("column token"), ...columns.map((t) => `${t + 1} ${textOf(t)}`)], lines)];
}

function predictedTable(rows) {
  const cells = (id, share) => [td(id), td(now.vocabulary[id], "token"), td(percent(share, 2))];
  const lines = rows.flatMap(([id], t) =>
    id === undefined ? [] : [lineOf(t, cells(id, values.softmax[t][id]))]);
  return [table(says("column token", "column id", "predicted", "column probability"), lines)];
}

const TABLES = { row: rowTable, seen: headTables, column: vocabularyTable, choice: predictedTable };

function draw(place) {
  const cell = cellOf(place);
  const rows = Array.from(now.ids, (_, t) => values[cell.name][t] ?? []);
  const isThere = rows.some((row) => row.length);
  const tables = isThere ? TABLES[cell.kind](rows, place.shown ?? CHUNK, cell) : [];
  const region = { className: "scroll", tabIndex: 0, role: "group", ariaLabel: cell.name };
  show(part(place, "result"), tables.map((table) => ["div", region, table]));
}

// Only what is on the screen is drawn.
const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes)
    if ((target.isSeen = isIntersecting)) draw(target);
}, { rootMargin: "200px" });

// More columns, or more of the vocabulary, when somebody has scrolled to where they end.
function grow({ target: region }) {
  const place = region.closest?.(".result .scroll") && region.closest(".cell");
  const right = region.scrollWidth - region.scrollLeft - region.clientWidth || Infinity;
  const below = region.scrollHeight - region.scrollTop - region.clientHeight || Infinity;
  if (!place || Math.min(right, below) > 200) return;
  place.shown = (place.shown ?? CHUNK) + CHUNK;
  draw(place);
}

// --- above the cells -----------------------------------------------------------------------------

function drawChips() {
  show($("chips"), now.ids.map((id, t) => {
    const [className, ariaPressed] = [t > now.asked ? "written" : "", `${t === now.marked}`];
    const onclick = () => drawAll({ marked: t === now.marked ? null : t });
    return ["button", { className, ariaPressed, onclick }, span(textOf(t)), small(id)];
  }));
}

function drawLikeliest() {
  const shares = values.softmax[Math.max(now.marked ?? 0, now.asked)] ?? [];
  show($("likeliest"), likeliest(shares, 10).map((id) => {
    const bar = ["span", { className: "bar", style: `width: ${100 * shares[id]}%` }];
    return ["li", {}, span(now.vocabulary[id], "token"), bar, span(percent(shares[id], 1))];
  }));
}

function drawWords(words) {
  const lines = words.map(({ word, rounds }, i) => {
    const parts = rounds.map((ids) => ids.map((id) => span(now.vocabulary[id], "part")));
    const steps = parts.reduce((before, round) => [...before, span("→", "arrow"), ...round]);
    return line(i + 1, visible(word), [["td", {}, ...steps], td(rounds.at(-1).join(" "))]);
  });
  show($("words"), [table(says("column word", "page rounds", "column id"), lines)]);
}

// For one token, what each head of each block looks at most.
function drawMap() {
  const [t, { n_layer, n_head }] = [now.marked ?? now.asked, said.config];
  const heads = Array.from({ length: n_head }, (_, head) => head);
  const cell = (block, head) => {
    const row = values[`h.${block}.attn.weights`][t] ?? [];
    const own = [...row].splice((head * row.length) / n_head, row.length / n_head);
    const [most, other] = [Math.max(...own), own.indexOf(Math.max(...own)) + t + 1 - own.length];
    const isResting = other === 0 || other === t; // one with nothing to do rests on the first token
    const go = { textContent: textOf(other), onclick: () => goTo(block, head) };
    return ["td", { className: isResting ? "resting" : tint(most) }, ["button", go]];
  };
  const lineOf = (_, block) => line(block, "", heads.map((head) => cell(block, head)));
  const titles = [say("column block"), ...heads.map((number) => say("head", { number }))];
  show($("map"), [table(titles, Array.from({ length: n_layer }, lineOf))]);
}

// Draws everything after what is chosen now has changed.
function drawAll(changed) {
  Object.assign(now, changed);
  drawChips();
  drawLikeliest();
  drawMap();
  // What was never drawn is drawn once all is computed: then nothing changes its height any more.
  places.forEach(showCode);
  places.filter((place) => place.isSeen || (!isBusy && part(place, "result:empty"))).forEach(draw);
}
