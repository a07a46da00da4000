// Runs the cells, one token after another. The page talks to it by messages, and never waits.

const SLICE = 12; // milliseconds of work between two looks at the messages
const vocabulary = {}; // ids and merges, once they are there
let model, tokenizer; // what the page says of its model; its tokenizer, once it can be made
let ids = []; // of the tokens read: the prompt's, then those that were written
let asked = 0; // the place of the prompt's last token, the first one that is followed by a new one
let done = []; // for each token, how many of its cells have been computed
let newest = 0; // the number of the last request; whoever works for another gives up

const tell = (what, more = {}) => postMessage({ what, ...more });
const random = () => uniform(controls.seed, token - asked);
const textOf = (id) => (id === tokenizer.end ? tokenizer.tokens[id] : tokenizer.decode([id]));

// --- cells ---------------------------------------------------------------------------------------

// The function of a cell's code; the developer tools show it under the cell's name.
function compiled(name, code) {
  try {
    return new Function(`"use strict";\n${code}\n//# sourceURL=${name}.js`);
  } catch (error) {
    return () => { throw error; };
  }
}

// The line of a cell that an error comes from. How many lines a browser counts before the first
// line of the code is found out from an error whose line is known.
function lineOf(error, name) {
  const found = ({ stack }, file) => Number(stack?.split(`${file}.js:`)[1]?.match(/^\d+/)?.[0]);
  try {
    compiled("probe", "throw new Error()")();
  } catch (probe) {
    return found(error, name) - found(probe, "probe") + 1 || null;
  }
}

// Takes over what has been edited; says how many cells at the start are as they were.
function edit(edits) {
  const codeOf = ({ name, code }) => edits[name] ?? code;
  const changed = model.cells.filter((cell) => cell.running !== codeOf(cell));
  for (const cell of changed) {
    cell.running = codeOf(cell);
    cell.run = compiled(cell.name, cell.running);
  }
  return changed.length ? model.cells.indexOf(changed[0]) : model.cells.length;
}

// What a cell gives for the token.
function numbers({ name, run }) {
  const result = run();
  const values = result?.data ?? [result].flat();
  if (typeof values[0] !== "number") throw new Error("a cell must return a matrix or a number");
  if (name === "predicted.id" && !tokenizer.tokens[values[0]])
    throw new Error(`no token has the id ${values[0]}`);
  return Float64Array.from(values);
}

// --- one prompt ----------------------------------------------------------------------------------

async function run({ request, prompt, chosen, edits }) {
  newest = request;
  const [before, sameCells, room] = [ids, edit(edits), model.config.n_ctx];
  const [words, read] = [tokenizer.words(prompt).map(readable), tokenize(prompt)];
  if (!read.length || read.length > room)
    return tell("refused", { request, words, n: read.length });
  const other = read.findIndex((id, place) => id !== before[place]);
  if (other >= 0) done.length = Math.min(done.length, other);
  [ids, asked, controls] = [read, read.length - 1, chosen];
  const most = Math.min(sameCells, model.cells.length - 1); // the choice is always made again
  done = done.map((count, place) => Math.min(count, most, cellsOf(place).length));
  tell("tokens", { request, words, asked, ids, texts: ids.map(textOf) });
  await compute(request, before);
}

// Only tokens that are followed by a new one have the last cells.
const cellsOf = (place) => model.cells.filter((cell) => place >= asked || !cell.last);

// An empty prompt begins where a text ends.
function tokenize(text) {
  const read = tokenizer.words(text).flatMap((word) => word.ids);
  return read.length || tokenizer.end === undefined ? read : [tokenizer.end];
}

async function compute(request, before) {
  let began = performance.now();
  const written = [];
  for (let t = 0; t < ids.length; t++) {
    token = t;
    if (!computeRow(request)) return;
    if (t >= asked) writeOn(request, written, before);
    if (performance.now() - began < SLICE) continue;
    await new Promise((go) => setTimeout(go)); // whoever has a message is heard here
    if (newest !== request) return;
    began = performance.now();
  }
  tell("done", { request, count: ids.length });
}

// Takes the token that was chosen, and reads it as the next one, unless it is the last.
function writeOn(request, written, before) {
  const [id] = computed("predicted.id");
  const isEnd = id === tokenizer.end;
  if (!isEnd) written.push(id);
  if (!isEnd && ids.length < Math.min(asked + controls.newTokens, model.config.n_ctx)) {
    ids.push(id);
    if (before[token + 1] !== id) done.length = Math.min(done.length, token + 1);
  }
  tell("written", { request, text: tokenizer.decode(written), ids, texts: ids.map(textOf) });
}

// The cells of one token that have not been computed; tells what they give.
function computeRow(request) {
  const [from, rows] = [done[token] ?? 0, []];
  const waiting = cellsOf(token).slice(from);
  let failed = null;
  steps.get("tokens.id")[token] = [ids[token]];
  try {
    for (const cell of waiting) rows.push((steps.get(cell.name)[token] = numbers(cell)));
  } catch (error) {
    const { name } = waiting[rows.length];
    failed = { request, name, token, line: lineOf(error, name), message: String(error) };
  }
  done[token] = from + rows.length;
  tell("rows", { request, token, from, rows });
  if (failed) tell("failed", failed);
  return !failed;
}

// --- what is shown -------------------------------------------------------------------------------

// A word with its parts in letters rather than in the spelling of bytes.
function readable({ text, rounds, ids }) {
  const letters = (part) => tokenizer.decode([tokenizer.ids.get(part)]);
  return { text, ids, rounds: rounds.map((parts) => parts.map(letters)) };
}

// The microscope: the factors of the product that one number is, by computing it once more.
function look({ name, at, column, question }) {
  const [before, all] = [token, []];
  [token, products] = [at, all];
  try {
    model.cells.find((cell) => cell.name === name).run();
  } catch {} // what was multiplied before the error can be shown all the same
  [token, products] = [before, null];
  let first = 0; // the column where a product begins
  const isIt = ([a, b]) => column < (first += a.rows * b.columns);
  const [a, b] = all.find(isIt) ?? [];
  if (!a) return tell("answer", { question });
  const place = column - first + a.rows * b.columns;
  const left = Float64Array.from(index(a, Math.floor(place / b.columns)).data);
  const right = left.map((_, i) => b.data[i * b.columns + (place % b.columns)]);
  tell("answer", { question, left, right, names: [a.name, b.name], column: place % b.columns });
}

// --- messages ------------------------------------------------------------------------------------

async function load({ given, said }) {
  model ??= said;
  for (const [name, blob] of given) await readFile(name, blob, model.shapes, vocabulary);
  const files = missing(model.shapes, vocabulary).join(", ");
  if (files) throw new WrongFile("page missing", { files });
  tokenizer = new Tokenizer(vocabulary.ids, vocabulary.merges, model.config.n_vocab);
  for (const name of ["tokens.id", ...model.cells.map((cell) => cell.name)]) steps.set(name, []);
  tell("loaded", { texts: tokenizer.tokens.map((_, id) => textOf(id)) });
}

const stop = ({ request }) => tell("stopped", { request: (newest = request) });
const split = ({ text, question }) => tell("answer", { question, ids: tokenize(text) });
const ANSWERS = { load, run, look, stop, split };

onmessage = async ({ data: { ask, ...more } }) => {
  try {
    await ANSWERS[ask](more);
  } catch (error) {
    if (!(error instanceof WrongFile)) throw error;
    tell("wrong", { ...error });
  }
};
