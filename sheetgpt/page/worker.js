// Runs the cells, one token after another. The page talks to it by messages, and never waits.

const SLICE = 12; // milliseconds of work between two looks at the messages
const vocabulary = {}; // ids and merges, once they are there
let model, tokenizer; // what the page says of its model; its tokenizer, once it can be made
let controls = {};
let ids = []; // of the tokens read: the prompt's, then those that were written
let asked = 0; // the place of the prompt's last token, the first one that is followed by a new one
let done = []; // for each token, how many of its cells have been computed
let newest = 0; // the number of the last request; whoever works for another gives up

const tell = (what, more = {}, transfer = []) => postMessage({ what, ...more }, transfer);
const random = () => uniform(controls.seed, token - asked);

// --- cells ---------------------------------------------------------------------------------------

// What a cell can call, by its name.
const SCOPE = {
  row, column, past, weight, index, part, heads, transpose, matmul, add, sub, mul, div, pow, neg,
  greater, less, atLeast, atMost, exp, log, sqrt, tanh, abs, phi, sum, max, min, mean, variance,
  pick, random, Matrix,
};

// The function of a cell's code; the developer tools show it under the cell's name.
function compiled(name, code) {
  const body = `"use strict";\n${code}\n//# sourceURL=${name}.js`;
  try {
    const run = new Function("controls", ...Object.keys(SCOPE), body);
    return () => run(controls, ...Object.values(SCOPE));
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

// The line of a cell that an error comes from; how many lines a browser counts before the first
// line of the code is found out from an error whose line is known.
function lineOf(error, name) {
  const found = (thrown, file) => Number(thrown.stack?.split(`${file}.js:`)[1]?.match(/^\d+/)?.[0]);
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
    if (cell.running === code) return;
    Object.assign(cell, { running: code, run: compiled(cell.name, code) });
    same = Math.min(same, place);
  });
  return same;
}

function numbers(result) {
  const values = typeof result === "number" ? [result] : (result?.data ?? result);
  if (!values || typeof values.length !== "number" || typeof values === "string")
    throw new Error("a cell must return a matrix or a number");
  return Float64Array.from(values);
}

// --- one prompt ----------------------------------------------------------------------------------

async function run({ request, prompt, controls: chosen, edits }) {
  newest = request;
  const sameCells = edit(edits);
  const words = tokenizer.words(prompt).map(readable);
  const [read, before, { cells, config }] = [tokenizer.prompt(prompt), ids, model];
  if (read.length === 0 || read.length > config.n_ctx)
    return tell("refused", { request, words, n: read.length });
  const firstLast = cells.findIndex((cell) => cell.last);
  const other = read.findIndex((id, place) => id !== before[place]);
  if (other >= 0) done.length = Math.min(done.length, other);
  [ids, asked, controls] = [read, read.length - 1, chosen];
  done = done.map((count, place) =>
    Math.min(count, sameCells, place < asked ? firstLast : cells.length - 1),
  );
  tell("tokens", { request, words, asked, ids, texts: ids.map(textOf) });
  await compute(request, before);
}

async function compute(request, before) {
  const written = [];
  let began = performance.now();
  for (token = 0; token < ids.length; token++) {
    if (!computeRow(request)) return;
    if (token >= asked) {
      const id = computed("predicted.id")[0];
      written.push(id);
      const isEnd = id === tokenizer.end;
      const text = tokenizer.decode(isEnd ? written.slice(0, -1) : written);
      const isLast = isEnd || written.length >= controls.newTokens;
      const isRead = !isLast && ids.length < model.config.n_ctx;
      if (isRead) ids.push(id);
      if (isRead && before[token + 1] !== id) done.length = Math.min(done.length, token + 1);
      tell("written", { request, text, ids, texts: ids.map(textOf) });
    }
    if (performance.now() - began > SLICE) {
      const here = token;
      await new Promise((go) => setTimeout(go)); // whoever has a message is heard here
      if (newest !== request) return;
      [token, began] = [here, performance.now()];
    }
  }
  tell("done", { request, count: ids.length });
}

// The cells of one token that have not been computed; tells what they give.
function computeRow(request) {
  const [from, { cells }] = [done[token] ?? 0, model];
  let place = from;
  const last = cells.findIndex((cell) => cell.last);
  const end = token < asked ? last : cells.length;
  let failed = null;
  steps.get("tokens.id")[token] = [ids[token]];
  try {
    for (; place < end; place++) {
      const { name, run } = cells[place];
      steps.get(name)[token] = numbers(run());
      if (name === "predicted.id" && tokenizer.tokens[computed(name)[0]] === undefined)
        throw new Error(`no token has the id ${computed(name)[0]}`);
    }
  } catch (error) {
    const { name } = cells[place];
    failed = { request, name, place, token, line: lineOf(error, name), message: String(error) };
  }
  done[token] = Math.max(from, place);
  const rows = cells.slice(from, place).map(({ name }) => steps.get(name)[token]);
  const data = new Float64Array(rows.reduce((size, each) => size + each.length, 0));
  rows.reduce((start, each) => (data.set(each, start), start + each.length), 0);
  tell("rows", { request, token, from, lengths: rows.map((each) => each.length), data }, [data.buffer]);
  if (failed) tell("failed", failed);
  return !failed;
}

// --- what is shown -------------------------------------------------------------------------------

const textOf = (id) => (id === tokenizer.end ? tokenizer.tokens[id] : tokenizer.decode([id]));

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
  } catch {
    // What was multiplied before the error can be shown all the same.
  }
  const seen = products;
  [token, products] = [before, null];
  for (const [a, b] of seen) {
    const [r, c] = [Math.floor(column / b.columns), column % b.columns];
    if (r < a.rows) {
      const right = Float64Array.from({ length: b.rows }, (_, i) => b.data[i * b.columns + c]);
      const left = Float64Array.from(index(a, r).data);
      return tell("seen", { question, left, right, names: [a.name, b.name], r, c });
    }
    column -= a.rows * b.columns;
  }
  tell("seen", { question });
}

// --- messages ------------------------------------------------------------------------------------

async function load({ files, model: said }) {
  model ??= said;
  for (const [name, blob] of files) await readFile(name, blob, model.shapes, vocabulary);
  const absent = missing(model.shapes, vocabulary);
  if (absent.length) return tell("missing", { absent });
  tokenizer = new Tokenizer(vocabulary.ids, vocabulary.merges, model.config.n_vocab);
  for (const name of ["tokens.id", ...model.cells.map((cell) => cell.name)]) steps.set(name, []);
  tell("loaded", { texts: tokenizer.tokens.map((_, id) => textOf(id)) });
}

const ANSWERS = {
  load,
  run,
  look,
  stop: ({ request }) => ((newest = request), tell("stopped", { request })),
  tokenize: ({ text, question }) => tell("seen", { question, ids: tokenizer.prompt(text) }),
};

onmessage = async ({ data: { ask, ...more } }) => {
  try {
    await ANSWERS[ask](more);
  } catch (error) {
    if (!(error instanceof WrongFile)) throw error;
    tell("wrong", { key: error.key, parts: error.parts });
  }
};
