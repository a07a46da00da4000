// What a person sees: tables of numbers beside the code of their cells. All texts are text, never HTML.

const CHUNK = 40; // columns of a wide row, or tokens of the vocabulary, that are shown at first
const $ = (id) => document.getElementById(id);
const said = JSON.parse($("model").textContent);
const say = (key, parts = {}) => said.words[key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);

const values = {}; // name of a step -> its row for each token
const now = { block: 0, head: null, marked: null, ids: [], texts: [], asked: 0, vocabulary: [] };
for (const { name } of said.cells) values[name] = [];

function element(tag, text = "", look = "", more = {}) {
  const made = document.createElement(tag);
  return Object.assign(put(made, text, look), more);
}

function put(where, text, look = "") {
  if (where.textContent !== text) where.textContent = text;
  if (where.className !== look) where.className = look;
  return where;
}

function resize(parent, count, tag) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.append(document.createElement(tag));
  return [...parent.children];
}

// --- tables --------------------------------------------------------------------------------------

// heads: texts; lines: {at, label: [number, text], marked, cells: [text, look] each}
function fill(table, heads, lines) {
  const [head] = resize(table.tHead ?? table.createTHead(), 1, "tr");
  resize(head, heads.length, "th").forEach((cell, i) => put(cell, heads[i]));
  const body = table.tBodies[0] ?? table.createTBody();
  resize(body, lines.length, "tr").forEach((line, i) => {
    const { at, label, marked, cells } = lines[i];
    if (!line.firstChild) line.append(element("th", "", "", { scope: "row" }));
    line.className = marked ? "marked" : "";
    line.dataset.at = at;
    if (line.firstChild.textContent !== label.join(" "))
      line.firstChild.replaceChildren(element("small", `${label[0]}`), ` ${label[1]}`);
    while (line.children.length > cells.length + 1) line.lastChild.remove();
    while (line.children.length <= cells.length) line.append(element("td", "", "", { tabIndex: -1 }));
    cells.forEach(([text, look], c) => put(line.children[c + 1], text, look));
  });
}

const label = (t) => [t + 1, visible(now.texts[t] ?? "")];
const visible = (text) => text.replace(/\n/g, "⏎").replace(/\t/g, "⇥");
const tint = (value, largest) => {
  const depth = Math.round((7 * Math.abs(value)) / largest);
  return depth ? (value > 0 ? "p" : "n") + depth : "";
};
const largestOf = (rows) => rows.flat().reduce((most, v) => Math.max(most, Math.abs(v)), 1e-9);

function drawRows(place, rows) {
  const width = Math.min(Math.max(...rows.map((each) => each.length)), place.shown);
  const some = rows.map((each) => [...each.slice(0, width)]);
  const largest = largestOf(some);
  const heads = ["", ...Array.from({ length: width }, (_, i) => `${i}`)];
  const lines = some.map((numbers, t) => ({
    at: t,
    label: label(t),
    marked: t === now.marked,
    cells: numbers.map((v) => [v.toFixed(3), tint(v, largest)]),
  }));
  fill(tables(place, 1)[0], heads, lines);
}

function drawHeads(place, rows, parts) {
  const largest = largestOf(rows.map((each) => [...each]));
  const heads = ["", ...rows.map((_, t) => label(t)[1])];
  tables(place, parts).forEach((table, head) => {
    put(table.caption ?? table.createCaption(), say("head", { number: head }));
    table.className = head === now.head ? "here" : "";
    const lines = rows.map((numbers, t) => {
      const width = numbers.length / parts;
      const cells = rows.map((_, other) => {
        if (other > t || other <= t - width) return ["", "masked"];
        const v = numbers[head * width + other - (t + 1 - width)];
        return [v.toFixed(2), tint(v, largest)];
      });
      return { at: t, label: label(t), marked: t === now.marked, cells };
    });
    fill(table, heads, lines);
  });
}

// The vocabulary, the likeliest first; a column is a token of the text.
function drawVocabulary(place, rows, name) {
  const last = rows.findLast((each) => each.length);
  if (!last) return;
  const order = [...last.keys()].sort((a, b) => last[b] - last[a]).slice(0, place.shown);
  const columns = [...rows.keys()].filter((t) => rows[t].length);
  const largest = largestOf(columns.map((t) => order.map((id) => rows[t][id])));
  const digits = name === "softmax" ? 4 : 3;
  const lines = order.map((id) => ({
    at: id,
    label: [id, visible(now.vocabulary[id])],
    cells: columns.map((t) => [rows[t][id].toFixed(digits), tint(rows[t][id], largest)]),
  }));
  place.columns = columns;
  fill(tables(place, 1)[0], ["", ...columns.map((t) => label(t).join(" "))], lines);
}

function drawPredicted(place, rows) {
  const there = [...rows.keys()].filter((t) => rows[t].length);
  const lines = there.map((t) => {
    const [[id], shares] = [rows[t], values.softmax[t] ?? []];
    const cells = [[`${id}`], [visible(now.vocabulary[id] ?? ""), "token"]];
    const share = [`${(100 * (shares[id] ?? 0)).toFixed(2)} %`];
    return { at: t, label: label(t), marked: t === now.marked, cells: [...cells, share] };
  });
  const heads = ["column token", "column id", "predicted", "column probability"].map((key) => say(key));
  fill(tables(place, 1)[0], heads, lines);
}

// The tables of a cell, each in a region that scrolls.
function tables(place, count) {
  return resize(place.result, count, "div").map((region, i) => {
    if (!region.firstChild) region.append(document.createElement("table"));
    const name = `${place.name()}${count > 1 ? `, ${say("head", { number: i })}` : ""}`;
    Object.assign(region, { className: "scroll", tabIndex: 0, role: "region", ariaLabel: name });
    return region.firstChild;
  });
}

function draw(place) {
  const cell = said.cells.find(({ name }) => name === place.name());
  const rows = Array.from(now.ids, (_, t) => values[cell.name][t] ?? []);
  place.result.classList.toggle("heads", cell.kind === "seen");
  if (rows.every((each) => !each.length)) return place.result.replaceChildren();
  if (cell.name === "predicted.id") drawPredicted(place, rows);
  else if (cell.kind === "seen") drawHeads(place, rows, cell.parts);
  else if (cell.kind === "column") drawVocabulary(place, rows, cell.name);
  else drawRows(place, rows);
}

// --- cells ---------------------------------------------------------------------------------------

const places = []; // where cells are shown; those of a block show the block that is chosen
const seen = new Set(); // the places on the screen: only these are drawn

const watcher = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) {
      const place = places.find((each) => each.article === target);
      if (!isIntersecting) seen.delete(place);
      else draw(seen.add(place) && place);
    }
  },
  { rootMargin: "200px" },
);

// A place for a cell, behind the others of its section; `key` names its words.
function addPlace(section, key, number) {
  const article = $("cell").content.cloneNode(true).firstElementChild;
  const part = (name) => article.querySelector(`.${name}`);
  const place = { article, key, shown: CHUNK, result: part("result"), error: part("error") };
  place.name = () => key.replace("h.b.", `h.${now.block}.`);
  Object.assign(place, { code: article.querySelector("textarea"), reset: part("reset"), part });
  put(part("number"), number ? `${number}` : "", "number");
  put(part("title"), said.steps[key].title, "title");
  put(part("why"), said.steps[key].why, "why");
  place.result.addEventListener("scroll", (event) => grow(place, event.target), true);
  section.append(article);
  places.push(place);
  watcher.observe(article);
  return place;
}

function grow(place, region) {
  const rest = Math.min(
    region.scrollWidth - region.scrollLeft - region.clientWidth || Infinity,
    region.scrollHeight - region.scrollTop - region.clientHeight || Infinity,
  );
  if (rest > 200) return;
  place.shown += CHUNK;
  draw(place);
}

const redraw = () => seen.forEach(draw);

// --- above the cells -----------------------------------------------------------------------------

function drawChips() {
  resize($("chips"), now.ids.length, "button").forEach((chip, t) => {
    const id = String(now.ids[t]);
    if (chip.textContent !== visible(now.texts[t]) + id)
      chip.replaceChildren(visible(now.texts[t]), element("small", id));
    chip.className = t > now.asked ? "written" : "";
    chip.ariaPressed = t === now.marked;
  });
}

function drawLikeliest() {
  const shares = values.softmax[now.marked ?? now.asked] ?? values.softmax[now.asked] ?? [];
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, 10);
  resize($("likeliest"), order.length, "li").forEach((item, i) => {
    const [token, bar, share] = resize(item, 3, "span");
    put(token, visible(now.vocabulary[order[i]]), "token");
    put(bar, "", "bar").style.width = `${100 * shares[order[i]]}%`;
    put(share, `${(100 * shares[order[i]]).toFixed(1)} %`, "share");
  });
}

function drawWords(words) {
  const lines = words.map(({ text, rounds, ids }, i) => ({
    at: i,
    label: [i + 1, visible(text)],
    cells: [[""], [ids.join(" ")]],
  }));
  fill($("words"), ["column word", "page rounds", "column id"].map((key) => say(key)), lines);
  [...$("words").tBodies[0].rows].forEach((line, i) => {
    const parts = words[i].rounds.flatMap((round, n) => [
      ...(n ? [element("span", "→", "arrow")] : []),
      ...round.map((part) => element("span", visible(part), "part")),
    ]);
    line.cells[1].replaceChildren(...parts);
  });
}

// For one token, what each head of each block looks at most.
function drawMap() {
  const t = now.marked ?? now.asked;
  const { n_layer, n_head } = said.config;
  const heads = ["", ...Array.from({ length: n_head }, (_, i) => say("head", { number: i }))];
  const lines = Array.from({ length: n_layer }, (_, b) => {
    const shares = values[`h.${b}.attn.weights`][t] ?? [];
    const width = shares.length / n_head;
    const cells = Array.from({ length: n_head }, (_, head) => {
      const own = [...shares.slice(head * width, (head + 1) * width)];
      const most = Math.max(...own);
      const other = own.indexOf(most) + t + 1 - width;
      const rests = other === 0 || other === t; // heads with nothing to do rest on the first token
      return [other < 0 ? "" : visible(now.texts[other] ?? ""), rests ? "resting" : tint(most, 1)];
    });
    return { at: b, label: ["", say("page block", { block: b })], cells };
  });
  fill($("map"), heads, lines);
  for (const cell of $("map").querySelectorAll("td"))
    cell.replaceChildren(element("button", cell.textContent));
}
