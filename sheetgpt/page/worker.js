// Runs the cells, one token after another, for a moment; then the page asks for the next moment.

const SLICE = 50; // milliseconds of such a moment; the token that was begun is ended
let model; // what the page says of its model
let edits = {}; // name of a cell -> the code that runs in the place of the built one
let done = []; // for each token, how many of its cells have been computed

const random = () => uniform(controls.seed, token - controls.asked);

// --- cells ---------------------------------------------------------------------------------------

// Takes over what has been edited; all that stands below it has to be computed again.
function edit(given) {
  for (const cell of model.cells.filter(({ name }) => edits[name] !== given[name])) {
    cell.run = null;
    done = done.map((count) => Math.min(count, model.cells.indexOf(cell)));
  }
  edits = given;
}

// What a cell gives for the token. The developer tools show its function under the cell's name.
function numbers(cell) {
  const { name, code } = cell;
  cell.run ??= new Function(`"use strict"; ${edits[name] ?? code}\n//# sourceURL=${name}.js`);
  const result = cell.run();
  if (typeof result !== "number" && !result?.data) fail("a cell must return a matrix or a number");
  const isId = Number.isInteger(result) && result >= 0 && result < model.config.n_vocab;
  if (name === "predicted.id" && !isId) fail(`no token has the id ${result}`);
  return (steps.get(name)[token] = result.data ? flat(result) : [result]);
}

// Keeps what a row's cells gave, off the scratch paper: in one array, since many travel slowly.
function keepRow(names, rows) {
  const all = new Float64Array(rows.reduce((size, row) => size + row.length, 0));
  let end = 0;
  return rows.map((row, i) => {
    all.set(row, end);
    return (steps.get(names[i])[token] = all.subarray(end, (end += row.length)));
  });
}

// The cells of the token that have not been computed: from which one on, what they give, and which
// one failed. Only tokens that are followed by a new one have the last cells, and the
// choice, which is the very last, is always made again.
function computeRow() {
  const cells = model.cells.filter((cell) => token >= controls.asked || !cell.last);
  const from = Math.min(done[token] ?? 0, cells.length, model.cells.length - 1);
  const told = { token, from, rows: [] };
  used = 0;
  try {
    for (const cell of cells.slice(from)) told.rows.push(numbers(cell));
  } catch (error) {
    const { name } = cells[from + told.rows.length];
    const line = parseInt(error.stack?.split(`${name}.js:`)[1]) - 2; // two begin a function
    told.failed = { name, line, message: `${error}` };
  }
  told.rows = keepRow(cells.slice(from).map(({ name }) => name), told.rows);
  done[token] = from + told.rows.length;
  return told;
}

// --- messages ------------------------------------------------------------------------------------

// Goes on with the tokens from one on, and reads what is chosen, until there is no room or the text
// ends. Rows of other tokens, or behind the last one, do not count any more.
function compute({ ids, first, given, chosen }) {
  const [told, until] = [[], performance.now() + SLICE];
  edit(given);
  controls = chosen;
  for (token = first; token < ids.length; token++) {
    if (performance.now() > until) return { told, ids };
    if (steps.get("tokens.id")[token]?.[0] !== ids[token]) done.length = token;
    steps.get("tokens.id")[token] = [ids[token]];
    told.push(computeRow());
    if (told.at(-1).failed) break;
    const room = Math.min(chosen.asked + chosen.newTokens, model.config.n_ctx) - ids.length;
    const [id] = token === ids.length - 1 && room > 0 ? computed("predicted.id") : [chosen.end];
    if (id !== chosen.end) ids.push(id);
  }
  done.length = first + told.length;
  return { told, ids };
}

// The microscope: the factors of the product that one number is, by computing it once more.
function look({ name, at, column }) {
  const all = (products = []);
  token = at;
  model.cells.find((cell) => cell.name === name)?.run();
  products = null;
  for (const [a, b] of all) {
    const [r, c] = [Math.floor(column / b.columns), column % b.columns];
    const factors = [index(a, r), index(transpose(b), c)].map((each) => [...flat(each)]);
    if (r < a.rows) return { factors, left: a.name, right: b.name, column: c };
    column -= a.rows * b.columns; // it is in a later product
  }
}

// Takes files of weights; says which ones are missing, or what is wrong with one.
async function load({ given, said }) {
  model = said;
  for (const name of ["tokens.id", ...model.cells.map((cell) => cell.name)]) steps.set(name, []);
  done = [];
  const before = new Map(weights);
  let file, blob;
  try {
    for ([file, blob] of given) await READERS[file.split(".").at(-1)]?.(file, blob, model.shapes);
  } catch ({ key = "page wrong safetensors", parts }) {
    before.forEach((weight, name) => weights.set(name, weight));
    return { key, parts: { file, ...parts } };
  }
  const absent = Object.keys(model.shapes).filter((name) => !weights.has(name)).slice(0, 5);
  return { missing: weights.size ? absent.map((name) => `${name}.csv`) : ["model.safetensors"] };
}

onmessage = async ({ data: { ask, question, ...more } }) =>
  postMessage({ question, ...(await { load, compute, look }[ask](more)) });
