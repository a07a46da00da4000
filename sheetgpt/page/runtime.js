"use strict";
// What the cells call. Everything is a matrix or a number; a token's row is a matrix of one row.

class Matrix {
  constructor(rows, columns, data = new Float64Array(rows * columns), name = "") {
    Object.assign(this, { rows, columns, data, name });
  }
}

const weights = new Map(); // name -> what was learned, a Matrix of float32
const steps = new Map(); // name -> what was computed, a row of float64 for each token
let token = 0; // the place, from 0, of the token whose row is computed now
let products = null; // the factors of each product, while the microscope looks

// --- where numbers come from ---------------------------------------------------------------------

function weight(name) {
  if (!weights.has(name)) throw new Error(`there are no weights named ${name}`);
  return weights.get(name);
}

function computed(name, at = token) {
  const row = steps.get(name)?.[at];
  if (!row) throw new Error(`no step named ${name} has been computed for token ${at}`);
  return row;
}

// This token's own row: of a step, or of a table that has a row for each place in the text.
function row(name) {
  if (weights.has(name)) return index(weight(name), token);
  const data = computed(name);
  return new Matrix(1, data.length, data, name);
}

function column(name) {
  const data = computed(name);
  return new Matrix(data.length, 1, data, name);
}

// The rows of all tokens up to this one, or of the last few. Later tokens cannot be seen.
function past(name, last = Infinity) {
  const first = Math.max(0, token + 1 - last);
  const all = new Matrix(token + 1 - first, computed(name).length, undefined, name);
  for (let t = first; t <= token; t++) all.data.set(computed(name, t), (t - first) * all.columns);
  return all;
}

// --- parts and wholes ----------------------------------------------------------------------------

function index(matrix, place) {
  const at = typeof place === "number" ? place : place.data[0];
  const data = matrix.data.subarray(at * matrix.columns, (at + 1) * matrix.columns);
  return new Matrix(1, matrix.columns, data, matrix.name);
}

// Columns: part i of as many equal parts.
function part(matrix, i, parts) {
  const width = matrix.columns / parts;
  const some = new Matrix(matrix.rows, width, undefined, `${matrix.name}[${i}]`);
  for (let r = 0; r < matrix.rows; r++) {
    const start = r * matrix.columns + i * width;
    some.data.set(matrix.data.subarray(start, start + width), r * width);
  }
  return some;
}

// What each head makes, side by side.
function heads(count, make) {
  const made = Array.from({ length: count }, (_, i) => make(i));
  const whole = new Matrix(1, made.reduce((width, each) => width + each.columns, 0));
  let start = 0;
  for (const each of made) {
    whole.data.set(each.data, start);
    start += each.columns;
  }
  return whole;
}

function transpose(matrix) {
  const { rows, columns, data, name } = matrix;
  const turned = new Matrix(columns, rows, undefined, `${name}ᵀ`);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned.data[c * rows + r] = data[r * columns + c];
  return turned;
}

// --- products ------------------------------------------------------------------------------------

function matmul(a, b) {
  if (a.columns !== b.rows)
    throw new Error(`matmul: a row of ${a.columns} numbers meets columns of ${b.rows}`);
  products?.push([a, b]);
  const product = new Matrix(a.rows, b.columns);
  if (b.columns === 1) addDots(a.data, b.data, product.data);
  else
    for (let r = 0; r < a.rows; r++) addRows(index(a, r).data, b.data, index(product, r).data);
  return product;
}

// to += x · table, four rows of the table at a time, for they are long and lie one after another.
function addRows(x, table, to) {
  const n = to.length;
  let i = 0;
  for (; i + 4 <= x.length; i += 4) {
    const [a, b, c, d] = [x[i], x[i + 1], x[i + 2], x[i + 3]];
    const [p, q, r, s] = [0, 1, 2, 3].map((k) => table.subarray((i + k) * n, (i + k + 1) * n));
    addFour(a, b, c, d, p, q, r, s, to);
  }
  for (; i < x.length; i++) for (let j = 0; j < n; j++) to[j] += x[i] * table[i * n + j];
}

function addFour(a, b, c, d, p, q, r, s, to) {
  for (let j = 0; j < to.length; j++) to[j] += a * p[j] + b * q[j] + c * r[j] + d * s[j];
}

// to[r] += row r of the table · x
function addDots(table, x, to) {
  for (let r = 0, at = 0; r < to.length; r++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++, at++) sum += table[at] * x[i];
    to[r] += sum;
  }
}

// --- number by number ----------------------------------------------------------------------------

const each = (f) => (x) =>
  typeof x === "number" ? f(x) : new Matrix(x.rows, x.columns, Float64Array.from(x.data, f));

// Of two matrices of one size, or of a matrix and a number (which may be a matrix of one number).
const both = (f) => (a, b) => {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  const [x, y] = [a.data ?? [a], b.data ?? [b]];
  const [stepX, stepY] = [+(x.length > 1), +(y.length > 1)];
  if (stepX && stepY && x.length !== y.length)
    throw new Error(`${x.length} numbers meet ${y.length}`);
  const size = stepX || !b.data ? a : b;
  const result = new Matrix(size.rows, size.columns);
  for (let i = 0, p = 0, q = 0; i < result.data.length; i++, p += stepX, q += stepY)
    result.data[i] = f(x[p], y[q]);
  return result;
};

const [add, sub] = [both((a, b) => a + b), both((a, b) => a - b)];
const [mul, div] = [both((a, b) => a * b), both((a, b) => a / b)];
const [greater, less] = [both((a, b) => +(a > b)), both((a, b) => +(a < b))];
const [atLeast, atMost] = [both((a, b) => +(a >= b)), both((a, b) => +(a <= b))];
const pow = both((a, b) => (b === 3 ? a * a * a : a ** b));
const [exp, log, sqrt] = [each(Math.exp), each(Math.log), each(Math.sqrt)];
const [tanh, abs, neg] = [each(Math.tanh), each(Math.abs), each((x) => -x)];

// The normal distribution's probability of a value below x, by a series without cancellation.
const phi = each((x) => {
  if (Math.abs(x) > 8.5) return +(x > 0);
  let [sum, term] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (x * x) / n;
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
});

// --- a row as one number -------------------------------------------------------------------------

const sum = (x) => x.data.reduce((total, value) => total + value, 0);
const max = (x) => x.data.reduce((largest, value) => Math.max(largest, value), -Infinity);
const min = (x) => x.data.reduce((least, value) => Math.min(least, value), Infinity);
const mean = (x) => sum(x) / x.data.length;
const variance = (x) => {
  const middle = mean(x);
  return mean(each((value) => (value - middle) ** 2)(x));
};
