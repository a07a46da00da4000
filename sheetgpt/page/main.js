// What a person does: type, choose, edit, look. The worker computes; here its answers are shown.

const PATIENCE = 1000; // milliseconds that a worker may be silent when it is asked to stop
const [edits, drafts] = [{}, {}]; // name of a cell -> its code that runs; that has been typed
const own = inside(document); // the model's files, if they are in this page
let files = new Map(); // name -> Blob: what the model is read from
const questions = []; // who waits for an answer of the worker
let worker, tokenizer, lastRun, problem; // the cell that somebody ran last; one that fails, and why
let [request, isBusy, began] = [0, true];
let waiting = Promise.withResolvers(); // for all that is to be computed

// --- the worker ----------------------------------------------------------------------------------

function start(given) {
  const scripts = document.querySelectorAll("script[type='text/plain']");
  const source = Array.from(scripts, (script) => script.textContent);
  worker = new Worker(URL.createObjectURL(new Blob(source, { type: "text/javascript" })));
  worker.onmessage = ({ data: { question, ...answer } }) => questions[question](answer);
  return load(given);
}

const ask = (what, more) => new Promise((answer) =>
  worker?.postMessage({ ask: what, question: questions.push(answer) - 1, ...more }));

async function run() {
  if (!tokenizer) return;
  if (!isBusy) waiting = Promise.withResolvers();
  [isBusy, began, request] = [true, Date.now(), request + 1];
  $("stop").disabled = false;
  const [text, room] = [$("prompt").value, said.config.n_ctx];
  const [ids, missing] = [tokenizer.read(text), tokenizer.unknown(text)];
  if (missing) return rest("unknown", { character: missing, word: missing });
  if (!ids.length) return rest("page empty");
  drawWords(tokenizer.words(text));
  if (ids.length > room) return rest("page too long", { n: ids.length, room });
  Object.assign(now, { ids, asked: ids.length - 1 });
  await compute(request);
}

// Lets the worker compute, one moment after another.
async function compute(mine) {
  const chosen = { asked: now.asked, end: tokenizer.end };
  for (const { id, value } of $("controls").querySelectorAll("input"))
    chosen[id] = Math.max(0, value) || 0;
  for (let first = 0; first < now.ids.length; ) {
    const { told, ids } = await ask("compute", { ids: now.ids, first, given: edits, chosen });
    for (const { token, from, rows } of told) // cells behind those rows have not been computed
      said.cells.slice(from).forEach(({ name }, i) => (values[name][token] = rows[i] ?? []));
    if (mine !== request) return;
    now.ids = ids;
    first += told.length;
    if (told.at(-1)?.failed) return rest("page failed", told.at(-1).failed, first);
    const written = values["predicted.id"].slice(chosen.asked, first).map(([id]) => id);
    $("completion").textContent = tokenizer.decode(written.filter((id) => id !== chosen.end));
    if (first < ids.length && told.some(({ token }) => token === chosen.asked)) drawAll();
    if (Date.now() - began > 100)
      $("status").textContent = say("page busy", { number: first, count: ids.length });
  }
  rest("page done", { count: now.ids.length }, now.ids.length);
}

// Nothing is computed any more, for the reason that a sentence tells.
function rest(key, parts, count) {
  [isBusy, problem] = [false, key === "page failed" ? parts : undefined];
  for (const name in values) values[name].length = count ?? values[name].length;
  $("stop").disabled = true;
  $("status").textContent = say(key, { ...parts, seconds: (Date.now() - began) / 1000 });
  showVerdict();
  drawAll();
  if (count) setTimeout(() => document.body.classList.add("drawn"), 200); // when all has its height
  waiting.resolve();
}

// A worker that does not hear is ended, and another one starts from the files.
async function stop() {
  const mine = ++request;
  const late = new Promise((done) => setTimeout(done, PATIENCE, "late"));
  if ((await Promise.race([ask("look"), late])) !== "late")
    return mine === request && rest("page stopped");
  worker.terminate();
  delete edits[lastRun];
  await start([...files]);
  problem = { name: lastRun, message: say("page endless") };
  drawAll();
}

// --- whether this is still the model -------------------------------------------------------------

// The steps say what an independent computation said of the built prompt, or they do not.
function showVerdict() {
  const { ids, fingerprints } = said.built;
  const isOther = ids.length !== now.asked + 1 || ids.some((id, t) => id !== now.ids[t]);
  const [steps, names] = [Object.keys(fingerprints), Object.keys(edits).join(", ")];
  const wrong = isOther ? [] : steps.filter(differs);
  const [look, sign, key] = names ? ["differs", "✎", "page edited"]
    : isOther ? ["", "–", "page not compared"]
    : wrong.length ? ["differs", "✗", "page differ"]
    : ["holds", "✓", "checks all hold"];
  const parts = { names, wrong: wrong.length, count: steps.length, step: wrong[0] };
  Object.assign($("verdict"), { textContent: `${sign} ${say(key, parts)}`, className: look });
  $("reset").hidden = !names;
}

// A step's fingerprint is the sum of its numbers, each times a factor of its own place.
function differs(name) {
  const [built, tolerance] = said.built.fingerprints[name];
  const factor = (t, i) => 1 + Math.sin(t + i * Math.SQRT2) / 2;
  const add = (before, row, t) => row.reduce((sum, v, i) => sum + v * factor(t, i), before);
  return !(Math.abs(values[name].slice(0, said.built.ids.length).reduce(add, -built)) <= tolerance);
}

// --- cells ---------------------------------------------------------------------------------------

function showCode(place) {
  const { name, code, mathematics } = cellOf(place);
  const shown = drafts[name] ?? code;
  const { message, line } = problem?.name === name ? problem : { message: "" };
  part(place, "name").textContent = name;
  part(place, "mathematics").textContent = mathematics;
  Object.assign(part(place, "editor"), { value: shown, rows: shown.split("\n").length });
  part(place, "error").textContent = line ? say("page line", problem) : message;
  place.classList.toggle("edited", name in edits);
}

function runCell(place) {
  lastRun = nameOf(place);
  edits[lastRun] = drafts[lastRun] = part(place, "editor").value;
  if (edits[lastRun] === cellOf(place).code) delete edits[lastRun];
  run();
}

function resetCells(names) {
  for (const name of names) delete edits[name] && delete drafts[name];
  run();
}

function listenToCell(place) {
  watcher.observe(place);
  const editor = part(place, "editor");
  part(place, "run").onclick = () => runCell(place);
  part(place, "reset").onclick = () => resetCells([nameOf(place)]);
  editor.onkeydown = ({ key, ctrlKey }) => void (key === "Enter" && ctrlKey && runCell(place));
  editor.oninput = () => (drafts[nameOf(place)] = editor.value);
}

function chooseBlock(block, head = null) {
  drawAll({ block, head });
  $("blocks").querySelectorAll("input")[block].checked = true;
  $("block-title").textContent = say("page block", { block });
}

function goTo(block, head) {
  chooseBlock(block, head);
  const place = places.find(({ dataset }) => dataset.name === "h.b.attn.weights");
  draw(place);
  part(place, "here").scrollIntoView({ block: "center" });
}

// --- files ---------------------------------------------------------------------------------------

async function load(given) {
  const all = new Map([...files, ...given]);
  const { key, parts, missing } = await ask("load", { given, said });
  if (key) return refuse(key, parts);
  const absent = missing.concat(["vocab.json", "merges.txt"].filter((name) => !all.has(name)));
  const made = !absent.length &&
    (await readVocabulary(all, said.config.n_vocab, said.tokenizer).catch(() => null));
  if (made === null) return refuse("page wrong vocabulary", { file: given.at(-1)[0] });
  files = all;
  if (absent.length) return refuse("page missing", { files: absent.join(", ") });
  tokenizer = made;
  now.vocabulary = tokenizer.tokens.map((_, id) => visible(tokenizer.decode([id])));
  $("files").hidden = true;
  if (!own.length) store("put", [...files], said.name).then(showKept, () => {}); // or keep nothing
  await run();
}

// Asks for files; those that came last are as if they had not come.
function refuse(key, parts) {
  $("files").hidden = false;
  $("missing").textContent = say(key, parts);
}

// What comes while other files are being read waits for its turn.
const take = (given) => (turn = turn.then(async () => {
  const found = (await Promise.all(given.map(usable))).flat();
  return found.length ? load(found) : refuse("page wrong file", { file: given[0]?.name ?? "–" });
}));

const kept = async () => (await store("get", said.name).catch(() => [])) ?? [];

async function showKept() {
  const size = (await kept()).reduce((bytes, [, blob]) => bytes + blob.size, 0);
  $("kept").firstElementChild.textContent = say("page kept", { size: (size / 1e6).toFixed(1) });
  $("kept").hidden = !size;
}

// --- the page ------------------------------------------------------------------------------------

window.sheetgpt = { values, get ready() { return waiting.promise; } };

places.forEach(listenToCell);
$("prompt").oninput = $("controls").oninput = run;
$("blocks").oninput = ({ target }) => chooseBlock(Number(target.value));
$("stop").onclick = stop;
$("reset").onclick = () => resetCells(Object.keys(edits));
$("kept").lastElementChild.onclick = () => store("delete", said.name).then(showKept);
$("chosen").onchange = ({ target }) => take([...target.files]).then(() => (target.value = ""));
document.ondragover = (event) => event.preventDefault();
document.ondrop = async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
  take((await Promise.all(entries.filter(Boolean).map(filesOf))).flat());
};
document.onkeydown = walk;
document.onmouseover = look;
document.addEventListener("focusin", look);
document.addEventListener("scroll", grow, true);
chooseBlock(0);
let turn = kept().then((files) => start(own.length ? own : files));
