// What a person sees: tables of numbers beside the code of their cells. Texts are never HTML here.

const CHUNK = 40; // columns of a wide row, or tokens of the vocabulary, that are shown at first
const $ = (id) => document.getElementById(id);
const said = JSON.parse($("model").textContent);
const say = (key, parts = {}) => said.words[key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
const SIGNS = { "\n": "⏎", "\t": "⇥" }; // for what cannot be seen
const visible = (text) =>
  text.replace(/\p{Cc}/gu, (sign) => SIGNS[sign] ?? "·")
    .replace(/^\s+$/, (all) => "␣".repeat(all.length));

const cellNamed = new Map(said.cells.map((cell) => [cell.name, cell]));
const values = Object.fromEntries(said.cells.map(({ name }) => [name, []])); // a row for each token
const now = { block: 0, head: null, marked: null, ids: [], texts: [], asked: 0, vocabulary: [] };

function put(where, text, look = "") {
  if (where.textContent !== text) where.textContent = text;
  if (where.className !== look) where.className = look;
  return where;
}

const element = (tag, text = "", look = "") => put(document.createElement(tag), text, look);

function resize(parent, count, tag) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.append(element(tag));
  return [...parent.children];
}

// --- tables --------------------------------------------------------------------------------------

// heads: texts; lines: {at, label: [number, text], marked, cells: [text, look] each}
function fill(table, heads, lines) {
  const [head] = resize(table.tHead ?? table.createTHead(), 1, "tr");
  resize(head, heads.length, "th").forEach((cell, i) => put(cell, heads[i]));
  resize(table.tBodies[0] ?? table.createTBody(), lines.length, "tr").forEach((line, i) => {
    const { at, label: [number, text], marked, cells } = lines[i];
    put(line, line.textContent, marked ? "marked" : "").dataset.at = at;
    if (!line.firstChild) line.append(element("th"));
    if (line.firstChild.textContent !== `${number} ${text}`)
      line.firstChild.replaceChildren(element("small", `${number}`), ` ${text}`);
    while (line.children.length > cells.length + 1) line.lastChild.remove();
    while (line.children.length <= cells.length) line.insertCell().tabIndex = -1;
    cells.forEach(([text, look], c) => put(line.children[c + 1], text, look));
  });
}

const label = (t) => [t + 1, visible(now.texts[t] ?? "")];
const ofToken = (t, cells) => ({ at: t, label: label(t), marked: t === now.marked, cells });
const largestOf = (rows) => rows.flat().reduce((most, v) => Math.max(most, Math.abs(v)), 1e-9);
const tint = (value, largest) => {
  const depth = Math.round((7 * Math.abs(value)) / largest);
  return depth ? (value > 0 ? "p" : "n") + depth : "";
};

function drawRows(place, rows) {
  const some = rows.map((row) => [...row.slice(0, place.shown)]);
  const largest = largestOf(some);
  const heads = [say("column token"), ...largestRow(some).map((_, i) => `${i}`)];
  const shown = (v) => [v.toFixed(3), tint(v, largest)];
  fill(tables(place, 1)[0], heads, some.map((row, t) => ofToken(t, row.map(shown))));
}

const largestRow = (rows) => rows.reduce((a, b) => (b.length > a.length ? b : a), []);

function drawHeads(place, rows, parts) {
  const largest = largestOf(rows.map((row) => [...row]));
  tables(place, parts).forEach((table, head) => {
    put(table.caption ?? table.createCaption(), say("head", { number: head }));
    table.className = head === now.head ? "here" : "";
    const lines = rows.map((row, t) => {
      const start = head * (row.length / parts) + row.length / parts - t - 1;
      const cells = rows.map((_, other) => {
        const v = other > t || other < t + 1 - row.length / parts ? undefined : row[start + other];
        return v === undefined ? ["", "masked"] : [v.toFixed(2), tint(v, largest)];
      });
      return ofToken(t, cells);
    });
    fill(table, [say("column token"), ...rows.map((_, t) => label(t)[1])], lines);
  });
}

// The vocabulary, the likeliest first; a column is a token of the text.
function drawVocabulary(place, rows, digits) {
  const columns = (place.columns = [...rows.keys()].filter((t) => rows[t].length));
  const last = rows[columns.at(-1)];
  const order = [...last.keys()].sort((a, b) => last[b] - last[a]).slice(0, place.shown);
  const largest = largestOf(columns.map((t) => order.map((id) => rows[t][id])));
  const lines = order.map((id) => ({
    at: id,
    label: [id, visible(now.vocabulary[id])],
    cells: columns.map((t) => [rows[t][id].toFixed(digits), tint(rows[t][id], largest)]),
  }));
  const heads = [say("column token"), ...columns.map((t) => label(t).join(" "))];
  fill(tables(place, 1)[0], heads, lines);
}

function drawPredicted(place, rows) {
  const there = [...rows.keys()].filter((t) => rows[t].length);
  const lines = there.map((t) => {
    const [[id], shares] = [rows[t], values.softmax[t] ?? []];
    const share = `${(100 * (shares[id] ?? 0)).toFixed(2)} %`;
    return ofToken(t, [[`${id}`], [visible(now.vocabulary[id] ?? ""), "token"], [share]]);
  });
  const heads = ["column token", "column id", "predicted", "column probability"];
  fill(tables(place, 1)[0], heads.map((key) => say(key)), lines);
}

// The tables of a cell, each in a region that scrolls.
function tables(place, count) {
  return resize(place.result, count, "div").map((region, i) => {
    if (!region.firstChild) region.append(element("table"));
    const ariaLabel = count > 1 ? `${place.name()}, ${say("head", { number: i })}` : place.name();
    Object.assign(region, { className: "scroll", tabIndex: 0, role: "region", ariaLabel });
    return region.firstChild;
  });
}

function draw(place) {
  const { name, kind, parts } = cellNamed.get(place.name());
  const rows = Array.from(now.ids, (_, t) => values[name][t] ?? []);
  place.result.classList.toggle("heads", kind === "seen");
  if (rows.every((row) => !row.length)) place.result.replaceChildren();
  else if (name === "predicted.id") drawPredicted(place, rows);
  else if (kind === "seen") drawHeads(place, rows, parts);
  else if (kind === "column") drawVocabulary(place, rows, name === "softmax" ? 4 : 3);
  else drawRows(place, rows);
}

// --- cells ---------------------------------------------------------------------------------------

// Where cells are shown; those of a block show the block that is chosen.
const places = [...document.querySelectorAll(".cell")].map((article) => {
  const part = (name) => article.querySelector(`.${name}`);
  const name = () => article.dataset.name.replace("h.b.", `h.${now.block}.`);
  return { article, part, name, shown: CHUNK, result: part("result") };
});
const seen = new Set(); // the places on the screen: only these are drawn

const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const place = places.find(({ article }) => article === target);
    seen.delete(place);
    if (isIntersecting) draw(seen.add(place) && place);
  }
}, { rootMargin: "200px" });
places.forEach(({ article }) => watcher.observe(article));

// More columns, or more of the vocabulary, when somebody has scrolled to where they end.
function grow(place, region) {
  const right = region.scrollWidth - region.scrollLeft - region.clientWidth || Infinity;
  const below = region.scrollHeight - region.scrollTop - region.clientHeight || Infinity;
  if (Math.min(right, below) > 200) return;
  place.shown += CHUNK;
  draw(place);
}

// --- above the cells -----------------------------------------------------------------------------

function drawChips() {
  resize($("chips"), now.ids.length, "button").forEach((chip, t) => {
    chip.replaceChildren(visible(now.texts[t]), element("small", `${now.ids[t]}`));
    chip.className = t > now.asked ? "written" : "";
    chip.ariaPressed = t === now.marked;
  });
}

function drawLikeliest() {
  const shares = values.softmax[Math.max(now.marked ?? 0, now.asked)] ?? [];
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, 10);
  resize($("likeliest"), order.length, "li").forEach((item, i) => {
    const [token, bar, share] = resize(item, 3, "span");
    const percent = (100 * shares[order[i]]).toFixed(1);
    put(token, visible(now.vocabulary[order[i]]), "token");
    put(bar, "", "bar").style.width = `${percent}%`;
    put(share, `${percent} %`, "share");
  });
}

function drawWords(words) {
  const heads = ["column word", "page rounds", "column id"].map((key) => say(key));
  const line = ({ text, ids }, i) => {
    return { label: [i + 1, visible(text)], cells: [[""], [ids.join(" ")]] };
  };
  fill($("words"), heads, words.map(line));
  [...$("words").tBodies[0].rows].forEach(({ cells }, i) => {
    const shown = (part) => element("span", visible(part), "part");
    const round = (parts) => [element("span", "→", "arrow"), ...parts.map(shown)];
    cells[1].replaceChildren(...words[i].rounds.flatMap(round).slice(1));
  });
}

// For one token, what each head of each block looks at most.
function drawMap() {
  const [t, { n_layer, n_head }] = [now.marked ?? now.asked, said.config];
  const heads = Array.from({ length: n_head }, (_, head) => say("head", { number: head }));
  const lines = Array.from({ length: n_layer }, (_, b) => {
    const shares = values[`h.${b}.attn.weights`][t] ?? [];
    const width = shares.length / n_head;
    const cells = heads.map((_, head) => {
      const own = shares.slice(head * width, (head + 1) * width);
      const other = own.indexOf(Math.max(...own)) + t + 1 - width;
      const rests = other === 0 || other === t; // heads with nothing to do rest on the first token
      return [visible(now.texts[other] ?? ""), rests ? "resting" : tint(Math.max(...own), 1)];
    });
    return { at: b, label: [b, ""], cells };
  });
  fill($("map"), [say("column block"), ...heads], lines);
  for (const cell of $("map").querySelectorAll("td"))
    cell.replaceChildren(element("button", cell.textContent));
}

function drawAll() {
  drawChips();
  drawLikeliest();
  drawMap();
  seen.forEach(draw);
}
