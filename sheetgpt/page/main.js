// What a person does: type, choose, edit, look. The worker computes; here its answers are shown.

const edits = {}; // name of a cell -> the code that runs in the place of the built one
const drafts = {}; // name of a cell -> the code that has been typed, whether it runs or not
const files = new Map(); // name -> Blob: what the model is read from
let worker, settle, began;
let lastRun, endless; // the cell that somebody ran last; the one that did not come to an end
let ready = new Promise((done) => (settle = done));
let [request, busy, settled] = [0, true, false];
let [heard, patience] = [0, 600]; // when the worker was heard; how long it may be silent, in ms

// --- asking the worker ---------------------------------------------------------------------------

function start(given) {
  const scripts = [...document.querySelectorAll("script[type='text/plain']")];
  const source = scripts.map((script) => script.textContent);
  worker = new Worker(URL.createObjectURL(new Blob(source, { type: "text/javascript" })));
  worker.onmessage = ({ data: { what, ...more } }) => {
    if (busy && heard) patience = Math.max(patience, 3 * (performance.now() - heard));
    heard = performance.now();
    if (more.request === undefined || more.request === request) TOLD[what](more);
  };
  load(given);
}

function load(given) {
  for (const [name, blob] of given) files.set(name, blob);
  worker.postMessage({ ask: "load", given, said });
}

function run() {
  if (!now.vocabulary.length) return;
  if (!busy) ready = new Promise((done) => (settle = done));
  [busy, request] = [true, request + 1];
  began = heard = performance.now();
  const inputs = [...$("controls").querySelectorAll("input")];
  const chosen = Object.fromEntries(inputs.map(({ id, value }) => [id, Math.max(0, value) || 0]));
  worker.postMessage({ ask: "run", request, prompt: $("prompt").value, chosen, edits });
  $("stop").disabled = false;
}

function rest(sentence) {
  busy = false;
  $("stop").disabled = true;
  put($("status"), sentence);
  showVerdict();
  settle();
}

// Asks the worker to stop; one that does not hear is ended, and another one starts from the files.
function stop() {
  const mine = ++request;
  worker.postMessage({ ask: "stop", request });
  setTimeout(() => {
    if (!busy || request !== mine) return;
    worker.terminate();
    rest(say("page stopped"));
    if (edits[lastRun] !== undefined) showError((endless = lastRun), say("page endless"));
    delete edits[lastRun];
    start([...files]);
  }, patience);
}

// --- what the worker tells -----------------------------------------------------------------------

const TOLD = {
  wrong({ key, parts }) {
    files.delete(parts.file);
    askForFiles(say(key, parts));
  },
  async loaded({ texts }) {
    now.vocabulary = texts;
    $("files").hidden = true;
    run();
    if (inside(document).length) return;
    await store("put", [...files], said.name).catch(() => {}); // some browsers keep nothing
    showKept();
  },
  refused({ n, words }) {
    drawWords(words);
    rest(say(n ? "page too long" : "page empty", { n, room: said.config.n_ctx }));
  },
  tokens({ words, asked, ids, texts }) {
    Object.assign(now, { asked, ids, texts });
    if (now.marked >= ids.length) now.marked = null;
    for (const { name, last } of said.cells)
      if (last) for (let t = 0; t < asked; t++) values[name][t] = [];
    for (const { name, part } of places) part("error").hidden = name() !== endless;
    drawWords(words);
  },
  rows({ token, from, rows }) {
    rows.forEach((row, i) => (values[said.cells[from + i].name][token] = row));
    if (performance.now() - began > 100)
      put($("status"), say("page busy", { number: token + 1, count: now.ids.length }));
    if (token === now.asked) drawAll();
  },
  written({ text, ids, texts }) {
    Object.assign(now, { ids, texts });
    put($("completion"), text);
  },
  done({ count }) {
    for (const name in values) values[name].length = count;
    drawAll();
    if (!settled) places.forEach(draw); // so that nothing changes its height when one scrolls there
    settled = true;
    rest(say("page done", { count, seconds: ((performance.now() - began) / 1000).toFixed(2) }));
  },
  failed({ name, token, line, message }) {
    const place = said.cells.indexOf(cellNamed.get(name));
    for (const { name } of said.cells.slice(place)) values[name].length = token;
    drawAll();
    rest(say("page failed", { name }));
    showError(name, line ? say("page line", { line, message }) : message);
  },
  stopped: () => rest(say("page stopped")),
  answer: ({ question, ...more }) => questions[question](more),
};

// --- whether this is still the model -------------------------------------------------------------

// The steps say what an independent computation said of the built prompt, or they do not.
function showVerdict() {
  const changed = Object.keys(edits);
  const { ids, fingerprints } = said.built;
  const isOther = ids.length !== now.asked + 1 || ids.some((id, t) => id !== now.ids[t]);
  const count = Object.keys(fingerprints).length;
  const wrong = Object.entries(fingerprints).filter(
    ([name, [built, tolerance]]) => !(Math.abs(fingerprint(name, ids.length) - built) <= tolerance),
  );
  const step = wrong[0]?.[0];
  const sentences = [
    changed.length ? `✎ ${say("page edited", { names: changed.join(", ") })}` : "",
    isOther ? `– ${say("page not compared")}` : "",
    !isOther && step ? `✗ ${say("page differ", { wrong: wrong.length, count, step })}` : "",
  ].filter(Boolean);
  const look = changed.length || (step && !isOther) ? "differs" : isOther ? "" : "holds";
  put($("verdict"), sentences.join(" ") || `✓ ${say("checks all hold", { count })}`, look);
  $("reset").hidden = !changed.length;
}

// The sum of a step's numbers, each times a factor of its token and a factor of its place.
function fingerprint(name, n) {
  const { kind = "row", parts = 1, last = false } = cellNamed.get(name) ?? {};
  const factor = (multiple, irrational, other) => {
    const size = Math.round(1e7 * (0.5 + 0.5 * ((multiple * irrational) % 1))) / 1e7;
    return (multiple * other) % 1 < 0.5 ? size : -size;
  };
  let total = 0;
  for (let t = last ? n - 1 : 0; t < n; t++) {
    const row = values[name] ? (values[name][t] ?? []) : [now.ids[t]];
    const ofToken = factor(name === "predicted.id" ? 1 : t + 1, Math.SQRT2, Math.sqrt(3));
    row.forEach((value, i) => {
      const head = kind === "seen" ? Math.floor((i * parts) / row.length) : 0;
      const place = 1 + i + head * (n - row.length / parts);
      total += value * ofToken * factor(place, (Math.sqrt(5) - 1) / 2, Math.sqrt(7));
    });
  }
  return total;
}

// --- cells ---------------------------------------------------------------------------------------

function showError(name, sentence) {
  const error = places.find((place) => place.name() === name)?.part("error");
  if (error) put(error, sentence, "error").hidden = false;
}

function showCode({ name, part, article }) {
  const { code, mathematics } = cellNamed.get(name());
  const shown = drafts[name()] ?? code;
  const ariaLabel = say("page code", { name: name() });
  put(part("name"), name(), "name");
  put(part("mathematics"), mathematics, "mathematics");
  Object.assign(part("editor"), { value: shown, rows: shown.split("\n").length, ariaLabel });
  part("reset").disabled = shown === code;
  part("error").hidden = true;
  article.classList.toggle("edited", edits[name()] !== undefined);
}

function runCell(place) {
  [lastRun, endless] = [place.name(), null];
  edits[lastRun] = drafts[lastRun] = place.part("editor").value;
  if (edits[lastRun] === cellNamed.get(lastRun).code) delete edits[lastRun];
  showCode(place);
  run();
}

function resetCells(names) {
  endless = null;
  for (const name of names) delete edits[name] && delete drafts[name];
  places.forEach(showCode);
  run();
}

function chooseBlock(block, head = null) {
  Object.assign(now, { block, head });
  [...$("blocks").children].forEach((button, b) => (button.ariaPressed = b === block));
  put($("block-title"), say("page block", { block }));
  places.forEach(showCode);
  seen.forEach(draw);
}

// --- files ---------------------------------------------------------------------------------------

function askForFiles(sentence) {
  $("files").hidden = false;
  put($("missing"), sentence);
}

async function take(given) {
  const found = await usable(given);
  if (found.length) load(found);
  else askForFiles(say("page wrong file", { file: given[0]?.name ?? "–" }));
}

const kept = async () => (await store("get", said.name).catch(() => [])) ?? [];

async function showKept() {
  const size = (await kept()).reduce((bytes, [, blob]) => bytes + blob.size, 0);
  put($("kept").firstElementChild, say("page kept", { size: (size / 1e6).toFixed(1) }));
  $("kept").hidden = !size;
}

// --- the page ------------------------------------------------------------------------------------

// What each part of the page does when somebody uses it.
const on = (part, event, act, capture) => part.addEventListener(event, act, capture);
const buttons = (part, act) => on(part, "click", ({ target }) => {
  const place = [...part.querySelectorAll("button")].indexOf(target.closest("button"));
  if (place >= 0) act(place);
});

function listenToCell(place) {
  const editor = place.part("editor");
  on(place.part("run"), "click", () => runCell(place));
  on(place.part("reset"), "click", () => resetCells([place.name()]));
  on(place.result, "scroll", ({ target }) => grow(place, target), true);
  on(editor, "keydown", (event) => event.key === "Enter" && event.ctrlKey && runCell(place));
  on(editor, "input", () => {
    drafts[place.name()] = editor.value;
    place.part("reset").disabled = false;
  });
}

function listen() {
  places.forEach(listenToCell);
  on($("prompt"), "input", run);
  on($("controls"), "input", run);
  on($("stop"), "click", stop);
  on($("reset"), "click", () => resetCells(Object.keys(edits)));
  on($("chosen"), "change", async ({ target }) => {
    await take([...target.files]);
    target.value = "";
  });
  buttons($("kept"), () => store("delete", said.name).then(showKept));
  buttons($("blocks"), (block) => chooseBlock(block));
  buttons($("chips"), (t) => {
    now.marked = now.marked === t ? null : t;
    drawAll();
  });
  buttons($("map"), (i) => {
    chooseBlock(Math.floor(i / said.config.n_head), i % said.config.n_head);
    const place = places.find(({ article }) => article.dataset.name === "h.b.attn.weights");
    draw(place);
    place.result.querySelector(".here").scrollIntoView({ block: "center" });
  });
  on(document, "dragover", (event) => event.preventDefault());
  on(document, "drop", async (event) => {
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
    take((await Promise.all(entries.filter(Boolean).map(filesOf))).flat());
  });
  const onNumber = ({ target }) =>
    target.matches?.(".result td") ? look(target) : showProducts(null);
  for (const event of ["mouseover", "focusin"]) on(document, event, onNumber);
  on(document, "keydown", walk);
}

window.sheetgpt = {
  values,
  tokenize: async (text) => (await question("split", { text })).ids,
  get ids() { return [...now.ids]; },
  get ready() { return ready; },
};

listen();
chooseBlock(0);
kept().then((files) => start(inside(document).length ? inside(document) : files));
