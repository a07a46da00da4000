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
  let same = model.cells.length;
  model.cells.forEach((cell, place) => {
    const code = edits[cell.name] ?? cell.code;
    if (cell.running !== code) same = Math.min(same, place);
    if (cell.running !== code) Object.assign(cell, { running: code, run: compiled(cell.name, code) });
  });
  return same;
}

function numbers(result) {
  const values = result?.data ?? [result].flat();
  if (typeof values[0] !== "number") throw new Error("a cell must return a matrix or a number");
  return Float64Array.from(values);
}

// --- one prompt ----------------------------------------------------------------------------------

async function run({ request, prompt, chosen, edits }) {
  newest = request;
  const [before, sameCells, { cells, config }] = [ids, edit(edits), model];
  const words = tokenizer.words(prompt).map(readable);
  const read = tokenize(prompt);
  if (!read.length || read.length > config.n_ctx)
    return tell("refused", { request, words, n: read.length });
  const other = read.findIndex((id, place) => id !== before[place]);
  if (other >= 0) done.length = Math.min(done.length, other);
  [ids, asked, controls] = [read, read.length - 1, chosen];
  done = done.map((count, place) => Math.min(count, sameCells, cellsOf(place), cells.length - 1));
  tell("tokens", { request, words, asked, ids, texts: ids.map(textOf) });
  await compute(request, before);
}

// Only tokens that are followed by a new one have the last cells.
const cellsOf = (place) => model.cells.filter((cell) => place >= asked || !cell.last).length;

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
  const id = computed("predicted.id")[0];
  const isEnd = id === tokenizer.end;
  if (!isEnd) written.push(id);
  const isRead = !isEnd && ids.length <= asked + controls.newTokens - 1;
  if (isRead && ids.length < model.config.n_ctx) {
    ids.push(id);
    if (before[token + 1] !== id) done.length = Math.min(done.length, token + 1);
  }
  tell("written", { request, text: tokenizer.decode(written), ids, texts: ids.map(textOf) });
}

// The cells of one token that have not been computed; tells what they give.
function computeRow(request) {
  const [from, end] = [done[token] ?? 0, cellsOf(token)];
  const rows = [];
  steps.get("tokens.id")[token] = [ids[token]];
  try {
    for (const { name, run } of model.cells.slice(from, end)) {
      rows.push((steps.get(name)[token] = numbers(run())));
      if (name === "predicted.id" && !tokenizer.tokens[rows.at(-1)[0]])
        throw new Error(`no token has the id ${rows.pop()[0]}`);
    }
  } catch (error) {
    const place = (done[token] = from + rows.length);
    const { name } = model.cells[place];
    tell("rows", { request, token, from, rows });
    tell("failed", { request, place, token, line: lineOf(error, name), message: String(error) });
    return false;
  }
  done[token] = end;
  tell("rows", { request, token, from, rows });
  return true;
}

// --- what is shown -------------------------------------------------------------------------------

// A word with its parts in letters rather than in the spelling of bytes.
function readable({ text, rounds, ids }) {
  const letters = (part) => tokenizer.decode([tokenizer.ids.get(part)]);
  return { text, ids, rounds: rounds.map((parts) => parts.map(letters)) };
}

// The microscope: the factors of the product that one number is, by computing it once more.
function look({ name, at, column, question }) {
  const before = token;
  [token, products] = [at, []];
  try {
    model.cells.find((cell) => cell.name === name).run();
  } catch {} // what was multiplied before the error can be shown all the same
  const all = products;
  [token, products] = [before, null];
  for (const [a, b] of all) {
    const c = column % b.columns;
    if (column < a.rows * b.columns) {
      const left = Float64Array.from(index(a, Math.floor(column / b.columns)).data);
      const right = left.map((_, i) => b.data[i * b.columns + c]);
      return tell("answer", { question, left, right, names: [a.name, b.name], c });
    }
    column -= a.rows * b.columns;
  }
  tell("answer", { question });
}

// --- messages ------------------------------------------------------------------------------------

async function load({ files, said }) {
  model ??= said;
  for (const [name, blob] of files) await readFile(name, blob, model.shapes, vocabulary);
  const absent = missing(model.shapes, vocabulary);
  if (absent.length) return tell("missing", { absent });
  tokenizer = new Tokenizer(vocabulary.ids, vocabulary.merges, model.config.n_vocab);
  for (const name of ["tokens.id", ...model.cells.map((cell) => cell.name)]) steps.set(name, []);
  tell("loaded", { texts: tokenizer.tokens.map((_, id) => textOf(id)) });
}

const ANSWERS = {
  load, run, look,
  stop: ({ request }) => tell("stopped", { request: (newest = request) }),
  tokenize: ({ text, question }) => tell("answer", { question, ids: tokenize(text) }),
};

onmessage = async ({ data: { ask, ...more } }) => {
  try {
    await ANSWERS[ask](more);
  } catch (error) {
    if (!(error instanceof WrongFile)) throw error;
    tell("wrong", { key: error.key, parts: error.parts });
  }
};
