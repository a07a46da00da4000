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
let controls = {}; // temperature, topK, topP, seed, newTokens
let products = null; // the factors of each product, while the microscope looks

// --- where numbers come from ---------------------------------------------------------------------

function weight(name) {
  if (!weights.has(name)) throw new Error(`there are no weights named ${name}`);
  return weights.get(name);
}

function computed(name, at = token) {
  const row = steps.get(name)?.[at];
  if (!row) throw new Error(`no step named ${name} has been computed for token ${at + 1}`);
  return row;
}

// This token's own row: of a step, or of a table that has a row for each place in the text.
function row(name) {
  if (weights.has(name)) return index(weight(name), token);
  return new Matrix(1, computed(name).length, computed(name), name);
}

const column = (name) => new Matrix(computed(name).length, 1, computed(name), name);

// The rows of all tokens up to this one, or of the last few. Later tokens cannot be seen.
function past(name, last = Infinity) {
  const first = Math.max(0, token + 1 - last);
  const all = new Matrix(token + 1 - first, computed(name).length, undefined, name);
  for (let t = first; t <= token; t++) all.data.set(computed(name, t), (t - first) * all.columns);
  return all;
}

// --- parts and wholes ----------------------------------------------------------------------------

function index(matrix, place) {
  const start = (place.data?.[0] ?? place) * matrix.columns;
  const data = matrix.data.subarray(start, start + matrix.columns);
  return new Matrix(1, matrix.columns, data, matrix.name);
}

// Columns: part i of as many equal parts.
function part(matrix, i, parts) {
  const width = matrix.columns / parts;
  const some = new Matrix(matrix.rows, width, undefined, `${matrix.name}[${i}]`);
  for (let r = 0; r < matrix.rows; r++)
    some.data.set(index(matrix, r).data.subarray(i * width, (i + 1) * width), r * width);
  return some;
}

// What each head makes, side by side.
function heads(count, make) {
  const made = Array.from({ length: count }, (_, i) => [...make(i).data]).flat();
  return new Matrix(1, made.length, Float64Array.from(made));
}

function transpose({ rows, columns, data, name }) {
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
  else for (let r = 0; r < a.rows; r++) addRows(index(a, r).data, b.data, index(product, r).data);
  return product;
}

// to += x · table, four rows of the table at a time, for they are long and lie one after another.
function addRows(x, table, to) {
  const line = (i) => table.subarray(i * to.length, (i + 1) * to.length);
  let i = 0;
  for (; i + 4 <= x.length; i += 4)
    addFour(x[i], x[i + 1], x[i + 2], x[i + 3], line(i), line(i + 1), line(i + 2), line(i + 3), to);
  for (; i < x.length; i++) line(i).forEach((value, j) => (to[j] += x[i] * value));
}

function addFour(a, b, c, d, p, q, r, s, to) {
  for (let j = 0; j < to.length; j++) to[j] += a * p[j] + b * q[j] + c * r[j] + d * s[j];
}

// to[r] = row r of the table · x, in four sums that do not wait for one another
function addDots(table, x, to) {
  for (let r = 0, at = 0; r < to.length; r++) {
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i + 4 <= x.length; i += 4, at += 4) {
      a += table[at] * x[i];
      b += table[at + 1] * x[i + 1];
      c += table[at + 2] * x[i + 2];
      d += table[at + 3] * x[i + 3];
    }
    for (; i < x.length; i++, at++) a += table[at] * x[i];
    to[r] = a + b + c + d;
  }
}

// --- number by number ----------------------------------------------------------------------------

const filled = (size, value) => {
  const result = new Matrix(size.rows, size.columns);
  for (let i = 0; i < result.data.length; i++) result.data[i] = value(i);
  return result;
};
const each = (f) => (x) => (typeof x === "number" ? f(x) : filled(x, (i) => f(x.data[i])));

// Of two matrices of one size, or of a matrix and a number.
const both = (f) => (a, b) => {
  if (typeof a === "number") return each((y) => f(a, y))(b);
  if (typeof b === "number") return each((x) => f(x, b))(a);
  const [n, m] = [a.data.length, b.data.length];
  if (n !== m) throw new Error(`${n} numbers meet ${m}`);
  return filled(a, (i) => f(a.data[i], b.data[i]));
};

const [add, sub] = [both((a, b) => a + b), both((a, b) => a - b)];
const [mul, div] = [both((a, b) => a * b), both((a, b) => a / b)];
const [pow, greater] = [both((a, b) => (b === 3 ? a * a * a : a ** b)), both((a, b) => +(a > b))];
const [neg, exp, sqrt, tanh] = [each((x) => -x), each(Math.exp), each(Math.sqrt), each(Math.tanh)];

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
const mean = (x) => sum(x) / x.data.length;
const variance = (x) => mean(pow(sub(x, mean(x)), 2));
