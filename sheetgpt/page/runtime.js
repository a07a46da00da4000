"use strict";
// What the cells call. Everything is a matrix or a number; a token's row is a matrix of one row.

// A table of numbers, or a part of another one's: from one row to the next it is `down` numbers in
// `data`, from one column to the next `right` numbers.
function matrix(rows, columns, name = "", data = room(rows * columns)) {
  return { rows, columns, name, data, down: columns, right: 1 };
}

// Zeros, on scratch paper where that has room: so many small arrays of their own would take longer.
function room(size) {
  if (used + size > scratch.length) return new Float64Array(size);
  used += size;
  return scratch.subarray(used - size, used).fill(0);
}

const weights = new Map(); // name -> what was learned, a matrix of float32
const steps = new Map(); // name -> what was computed, a row of float64 for each token
let token = 0; // the place, from 0, of the token whose row is computed now
let controls = {}; // temperature, topK, topP, seed, newTokens
const scratch = new Float64Array(1 << 20);
let used = 0; // of the scratch paper, on which every token's row begins anew
let products = null; // the factors of each product, while the microscope looks

// --- where numbers come from ---------------------------------------------------------------------

const fail = (message) => { throw new Error(message); };
const weight = (name) => weights.get(name) ?? fail(`there are no weights named ${name}`);
const computed = (name, at = token) =>
  steps.get(name)?.[at] ?? fail(`no step named ${name} has been computed for token ${at + 1}`);

// This token's own row: of a step, or of a table that has a row for each place in the text.
const row = (name) => (weights.has(name) ? index(weight(name), token) : past(name, 1));
const column = (name) => transpose(row(name));

// The rows of all tokens up to this one, or of the last few. Later tokens cannot be seen.
function past(name, last = Infinity) {
  const first = Math.max(0, token + 1 - last);
  const all = matrix(token + 1 - first, computed(name).length, name);
  for (let t = first; t <= token; t++) all.data.set(computed(name, t), (t - first) * all.columns);
  return all;
}

// --- parts and wholes ----------------------------------------------------------------------------

// The numbers, one row after another.
function flat({ rows, columns, data, down, right }) {
  const isFlat = (right === 1 || columns === 1) && (down === columns || rows === 1);
  if (isFlat) return data.length === rows * columns ? data : data.subarray(0, rows * columns);
  const place = (i) => Math.floor(i / columns) * down + (i % columns) * right;
  return Float64Array.from({ length: rows * columns }, (_, i) => data[place(i)]);
}

const index = (a, place) =>
  ({ ...a, rows: 1, data: a.data.subarray((place.data?.[0] ?? place) * a.down) });
const transpose = (a) => ({ ...a, rows: a.columns, columns: a.rows, down: a.right, right: a.down });

// Columns: part i of as many equal parts.
const part = (a, i, parts) =>
  ({ ...a, columns: a.columns / parts, data: a.data.subarray((i * a.columns * a.right) / parts) });

// What each head makes, side by side.
function heads(count, make) {
  const made = Array.from({ length: count }, (_, i) => flat(make(i)));
  const all = matrix(1, count * made[0].length);
  made.forEach((numbers, i) => all.data.set(numbers, i * numbers.length));
  return all;
}

// --- products ------------------------------------------------------------------------------------

function matmul(a, b) {
  if (a.columns !== b.rows) fail(`a row of ${a.columns} numbers meets columns of ${b.rows}`);
  if (a.rows > 1 && b.columns === 1) return transpose(matmul(transpose(b), transpose(a)));
  products?.push([a, b]);
  const product = matrix(a.rows, b.columns);
  const multiply = !(b.data instanceof Float32Array) ? addProducts
    : b.down === 1 ? addColumns : b.rows % 4 === 0 ? addRows : addProducts;
  const rowOf = (m, r) => flat(m.rows === 1 ? m : index(m, r));
  for (let r = 0; r < a.rows; r++) multiply(rowOf(a, r), b, rowOf(product, r));
  return product;
}

// to += x · table
function addProducts(x, { data, down, right }, to) {
  for (let j = 0; j < to.length; j++)
    for (let i = 0, at = j * right; i < x.length; i++, at += down) to[j] += x[i] * data[at];
}

// The same for what was learned, which is large: as its rows lie, and four of them at a time.
function addRows(x, { data, down }, to) {
  for (let i = 0; i < x.length; i += 4) {
    const [a, b, c, d] = [x[i], x[i + 1], x[i + 2], x[i + 3]];
    const rows = data.subarray(i * down, (i + 4) * down);
    for (let j = 0, k = 2 * down; j < to.length; j++, k++)
      to[j] += a * rows[j] + b * rows[j + down] + c * rows[k] + d * rows[k + down];
  }
}

// Or as its columns lie. (A function that meets one kind of numbers only is compiled for those.)
function addColumns(x, { data, right }, to) {
  for (let j = 0; j < to.length; j++) {
    const column = data.subarray(j * right);
    let total = 0;
    for (let i = 0; i < x.length; i++) total += x[i] * column[i];
    to[j] += total;
  }
}

// --- number by number ----------------------------------------------------------------------------

// Of a matrix, of two of one size, or of a matrix and a number.
const each = (f) => (a, b) => {
  const [x, y] = [a.data && flat(a), b?.data && flat(b)];
  if (!x && !y) return f(a, b);
  if (x && y && x.length !== y.length) fail(`${x.length} numbers meet ${y.length}`);
  const result = matrix((x ? a : b).rows, (x ? a : b).columns);
  const { data } = result;
  for (let i = 0; i < data.length; i++) data[i] = f(x ? x[i] : a, y ? y[i] : b);
  return result;
};

const [add, sub] = [each((a, b) => a + b), each((a, b) => a - b)];
const [mul, div] = [each((a, b) => a * b), each((a, b) => a / b)];
const [pow, greater] = [each((a, b) => (b === 3 ? a * a * a : a ** b)), each((a, b) => +(a > b))];
const [neg, exp, sqrt, tanh] = [each((x) => -x), each(Math.exp), each(Math.sqrt), each(Math.tanh)];

// The normal distribution's probability of a value below x, by a series without cancellation.
const phi = each((x) => {
  if (Math.abs(x) > 8.5) return +(x > 0);
  let [sum, term] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (x * x) / n;
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
});

// --- a row as one number -------------------------------------------------------------------------

const sum = (x) => flat(x).reduce((total, value) => total + value, 0);
const max = (x) => flat(x).reduce((largest, value) => Math.max(largest, value), -Infinity);
const mean = (x) => sum(x) / (x.rows * x.columns);
const variance = (x) => mean(pow(sub(x, mean(x)), 2));
