// What a person does: type, choose, edit, look. The worker computes; here its answers are shown.

const edits = {}; // name of a cell -> the code that runs in the place of the built one
const drafts = {}; // name of a cell -> the code that has been typed, whether it runs or not
const built = Object.fromEntries(said.cells.map(({ name, code }) => [name, code]));
const questions = new Map(); // number of a question to the worker -> who waits for the answer
const files = new Map(); // name -> Blob: what the model is read from
let worker, settle, ready, began, lastRun;
let [request, busy, patience, heard] = [0, false, 600, 0]; // patience: how long nothing may be heard

// --- asking the worker ---------------------------------------------------------------------------

function start(more) {
  const source = [...document.querySelectorAll("script[type='text/plain']")].map((script) => script.textContent).join("\n");
  worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  worker.onmessage = ({ data: { what, ...more } }) => {
    if (busy) patience = Math.max(patience, 3 * (performance.now() - heard));
    heard = performance.now();
    if (more.request === undefined || more.request === request) TOLD[what](more);
  };
  load(more);
}

function load(more) {
  for (const [name, blob] of more) files.set(name, blob);
  worker.postMessage({ ask: "load", files: more, model: said });
}

function question(ask, more) {
  return new Promise((answer) => {
    questions.set(questions.size, answer);
    worker.postMessage({ ask, question: questions.size - 1, ...more });
  });
}

function run() {
  if (!now.vocabulary.length) return;
  if (!busy) ready = new Promise((done) => (settle = done));
  [busy, began, heard, request] = [true, performance.now(), performance.now(), request + 1];
  const number = (id) => Math.max(0, Number($(id).value) || 0);
  const controls = Object.fromEntries(
    ["newTokens", "temperature", "topK", "topP", "seed"].map((id) => [id, number(id)]),
  );
  worker.postMessage({ ask: "run", request, prompt: $("prompt").value, controls, edits });
  $("stop").disabled = false;
}

function rest(sentence) {
  busy = false;
  $("stop").disabled = true;
  $("status").textContent = sentence;
  showVerdict();
  settle?.();
}

// Asks the worker to stop; one that cannot hear is ended, and another one starts from the files.
function stop() {
  const asked = ++request;
  worker.postMessage({ ask: "stop", request });
  setTimeout(() => {
    if (!busy || request !== asked) return;
    worker.terminate();
    if (edits[lastRun] !== undefined) {
      delete edits[lastRun];
      showError(lastRun, say("page endless"));
    }
    rest(say("page stopped"));
    start([...files]);
  }, patience);
}

// --- what the worker tells -----------------------------------------------------------------------

const TOLD = {
  missing({ absent }) {
    $("files").hidden = false;
    $("missing").textContent = say("page missing", { files: absent.join(", ") });
  },
  wrong({ key, parts }) {
    $("files").hidden = false;
    $("missing").textContent = say(key, parts);
  },
  loaded({ texts }) {
    now.vocabulary = texts;
    $("files").hidden = true;
    run();
    showKept();
  },
  refused({ n, words }) {
    drawWords(words);
    rest(say(n ? "page too long" : "page empty", { n, room: said.config.n_ctx }));
  },
  tokens({ words, asked, ids, texts }) {
    Object.assign(now, { asked, ids, texts });
    if (now.marked >= ids.length) now.marked = null;
    for (const { name, last } of said.cells) if (last) values[name].fill([], 0, asked);
    for (const place of places) place.error.hidden = true;
    drawChips();
    drawWords(words);
  },
  rows({ token, from, lengths, data }) {
    let start = 0;
    lengths.forEach((length, i) => {
      values[said.cells[from + i].name][token] = data.subarray(start, (start += length));
    });
    if (token > now.asked || performance.now() - began > 100)
      $("status").textContent = say("page busy", { number: token + 1, count: now.ids.length });
    if (token === now.asked) showAll();
  },
  written({ text, ids, texts }) {
    Object.assign(now, { ids, texts });
    $("completion").textContent = text;
  },
  done({ count }) {
    for (const name in values) values[name].length = count;
    showAll();
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    rest(say("page done", { count, seconds }));
  },
  failed({ name, place, token, line, message }) {
    for (const cell of said.cells.slice(place)) values[cell.name].length = token;
    showAll();
    showError(name, line ? say("page line", { line, message }) : message);
    rest(say("page failed", { name }));
  },
  stopped: () => rest(say("page stopped")),
  seen({ question, ...more }) {
    questions.get(question)(more);
    questions.delete(question);
  },
};

function showAll() {
  drawChips();
  drawLikeliest();
  drawMap();
  redraw();
}

// Whether the steps still say what an independent computation said of the built prompt.
function showVerdict() {
  const changed = Object.keys(edits);
  $("reset").hidden = !changed.length;
  const { ids, fingerprints } = said.built;
  const isOther = ids.length !== now.asked + 1 || ids.some((id, t) => id !== now.ids[t]);
  const wrong = Object.keys(fingerprints).filter((name) => {
    const [expected, tolerance] = fingerprints[name];
    return !isOther && !(Math.abs(fingerprint(name, ids.length) - expected) <= tolerance);
  });
  const count = Object.keys(fingerprints).length;
  let [sentence, look] = [`✓ ${say("checks all hold", { count })}`, "holds"];
  if (isOther) [sentence, look] = [`– ${say("page not compared")}`, ""];
  if (wrong.length)
    [sentence, look] = [`✗ ${say("page differ", { wrong: wrong.length, count, step: wrong[0] })}`, "differs"];
  if (changed.length) [sentence, look] = [`✎ ${say("page edited", { names: changed.join(", ") })} ${look === "holds" ? "" : sentence}`, "differs"];
  put($("verdict"), sentence, look);
}

// The sum of a step's numbers, each times a factor of its token and a factor of its place.
function fingerprint(name, n) {
  const factor = (i, irrational, other) => {
    const size = Math.round(1e7 * (0.5 + 0.5 * (((i + 1) * irrational) % 1))) / 1e7;
    return ((i + 1) * other) % 1 < 0.5 ? size : -size;
  };
  const cell = said.cells.find((each) => each.name === name) ?? { kind: "row", parts: 1 };
  let total = 0;
  for (let t = cell.last ? n - 1 : 0; t < n; t++) {
    const row = values[name]?.[t] ?? [now.ids[t]];
    const width = row.length / cell.parts;
    const ofToken = factor(name === "predicted.id" ? 0 : t, Math.SQRT2, Math.sqrt(3));
    for (let i = 0; i < row.length; i++) {
      const at = cell.kind === "seen" ? Math.floor(i / width) * n + (i % width) : i;
      total += row[i] * ofToken * factor(at, (Math.sqrt(5) - 1) / 2, Math.sqrt(7));
    }
  }
  return total;
}

// --- what a person does --------------------------------------------------------------------------

function showError(name, sentence) {
  const place = places.find((each) => each.name() === name);
  if (!place) return;
  place.error.hidden = false;
  place.error.textContent = sentence;
}

function showCode(place) {
  const name = place.name();
  const cell = said.cells.find((each) => each.name === name);
  const code = drafts[name] ?? edits[name] ?? cell.code;
  place.part("name").textContent = name;
  place.part("mathematics").textContent = cell.mathematics;
  Object.assign(place.code, { value: code, rows: code.split("\n").length });
  place.code.ariaLabel = say("page code", { name });
  place.reset.disabled = code === cell.code;
  place.article.classList.toggle("edited", edits[name] !== undefined);
}

function runCell(place) {
  const name = place.name();
  edits[name] = place.code.value;
  if (edits[name] === built[name]) delete edits[name];
  lastRun = name;
  showCode(place);
  run();
}

function resetCells(names) {
  for (const name of names) {
    delete edits[name];
    delete drafts[name];
  }
  places.forEach(showCode);
  run();
}

function chooseBlock(block, head = null) {
  Object.assign(now, { block, head });
  [...$("blocks").children].forEach((button, b) => (button.ariaPressed = b === block));
  $("block-title").textContent = say("page block", { block });
  places.forEach(showCode);
  redraw();
}

function mark(t) {
  now.marked = now.marked === t ? null : t;
  showAll();
}

async function take(dropped) {
  const found = await usable(dropped);
  if (!found.length) {
    const name = dropped[0]?.name ?? "–";
    $("missing").textContent = say("page wrong file", { file: name });
  } else load(found);
}

async function showKept() {
  if (!inside(document).length) await keepFiles([...files]).catch(() => {});
  const size = (await kept()).reduce((bytes, [, blob]) => bytes + blob.size, 0);
  $("kept").hidden = !size;
  $("kept").firstElementChild.textContent = say("page kept", { size: (size / 1e6).toFixed(1) });
}

// The microscope: the products that a number is the sum of, the largest first.
let [looking, pinned] = [0, null];

async function look(cell) {
  const place = places.find((each) => each.result.contains(cell));
  const name = place.name();
  const { kind, parts } = said.cells.find((each) => each.name === name);
  const table = cell.closest("table");
  let [at, column] = [Number(cell.parentNode.dataset.at), cell.cellIndex - 1];
  if (kind === "column") [at, column] = [place.columns[column], at];
  if (kind === "seen") {
    const width = values[name][at].length / parts;
    const head = [...place.result.querySelectorAll("table")].indexOf(table);
    column += head * width - (at + 1 - width);
  }
  const mine = ++looking;
  const { left, right, names, c } = await question("look", { name, at, column });
  if (mine === looking) showProducts(left && { left, right, names, c, at });
}

function showProducts(found) {
  const panel = $("microscope");
  panel.hidden = !found;
  if (!found) return;
  const { left, right, names, c, at } = found;
  const products = [...left].map((x, i) => [i, x, right[i], x * right[i]]);
  const total = products.reduce((sum, [, , , product]) => sum + product, 0);
  const most = products.sort((a, b) => Math.abs(b[3]) - Math.abs(a[3])).slice(0, 8);
  const rest = total - most.reduce((sum, [, , , product]) => sum + product, 0);
  const title = say("page product", { left: names[0], right: names[1], number: at + 1, column: c });
  const table = element("table");
  const text = (v) => [v.toFixed(4)];
  const lines = most.map(([i, x, y, product]) => ({ label: [i, ""], cells: [text(x), text(y), text(product)] }));
  if (products.length > 8) lines.push({ label: ["…", ""], cells: [[""], [`${products.length - 8}`], text(rest)] });
  lines.push({ label: ["Σ", ""], cells: [[""], [""], [total.toFixed(4), "token"]] });
  fill(table, ["", names[0], names[1], "×"], lines);
  panel.replaceChildren(element("h2", title), table);
}

// --- the page ------------------------------------------------------------------------------------

function addCells() {
  const outside = { "embed.text": "embeddings", "embed.position": "embeddings", "predicted.id": "predicted" };
  const numbers = Object.entries(said.numbers);
  for (const key of Object.keys(said.steps)) {
    const section = key.startsWith("h.b.") ? "block" : (outside[key] ?? key.split(".")[0]);
    const place = addPlace($(section), key, numbers.find(([name]) => `h.b.${name}` === key)?.[1]);
    place.code.addEventListener("input", () => {
      drafts[place.name()] = place.code.value;
      place.reset.disabled = false;
    });
    place.code.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) runCell(place);
    });
    place.part("run").addEventListener("click", () => runCell(place));
    place.reset.addEventListener("click", () => resetCells([place.name()]));
  }
}

function listen() {
  for (const input of [$("prompt"), ...$("controls").querySelectorAll("input")])
    input.addEventListener("input", run);
  $("stop").addEventListener("click", stop);
  $("reset").addEventListener("click", () => resetCells(Object.keys(edits)));
  $("chosen").addEventListener("change", ({ target }) => take([...target.files]));
  $("kept").lastElementChild.addEventListener("click", async () => {
    await removeFiles();
    $("kept").hidden = true;
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    take(await opened(event.dataTransfer.items));
  });
  $("chips").addEventListener("click", ({ target }) => {
    const chip = target.closest("button");
    if (chip) mark([...$("chips").children].indexOf(chip));
  });
  $("map").addEventListener("click", ({ target }) => {
    if (target.tagName !== "BUTTON") return;
    const cell = target.parentNode;
    chooseBlock(Number(cell.parentNode.dataset.at), cell.cellIndex - 1);
    places.find(({ key }) => key === "h.b.attn.weights").article.scrollIntoView();
  });
  const onNumber = ({ target }) => {
    if (target.matches?.(".result td")) look(target);
    else showProducts(null);
  };
  document.addEventListener("mouseover", onNumber);
  document.addEventListener("focusin", onNumber);
  document.addEventListener("keydown", walk);
}

// Arrow keys go from number to number; Escape closes the microscope.
function walk(event) {
  const cell = event.target;
  if (event.key === "Escape") showProducts(null);
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
  if (down === undefined || !cell.closest?.(".result")) return;
  const table = cell.querySelector("table") ?? cell.closest("table");
  const [line, place] = cell.matches("td") ? [cell.parentNode.rowIndex + down, cell.cellIndex + right] : [1, 1];
  const next = table.rows[line]?.cells[place];
  if (!next?.matches("td")) return;
  next.focus();
  event.preventDefault();
}

function showSource() {
  for (const script of document.querySelectorAll("script[id$='.js']")) {
    const details = element("details");
    details.append(element("summary", script.id), element("pre", script.textContent.trim()));
    $("source").append(details);
  }
}

async function open() {
  addCells();
  showSource();
  for (let b = 0; b < said.config.n_layer; b++) {
    const button = element("button", say("page block", { block: b }), "", { type: "button" });
    button.addEventListener("click", () => chooseBlock(b));
    $("blocks").append(button);
  }
  ready = new Promise((done) => (settle = done));
  busy = true;
  chooseBlock(0);
  listen();
  const own = inside(document);
  start(own.length ? own : await kept());
}

window.sheetgpt = {
  values,
  tokenize: async (text) => (await question("tokenize", { text })).ids,
  get ids() { return [...now.ids]; },
  get ready() { return ready; },
};
open();
