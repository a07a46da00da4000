// Reading a model's files: safetensors or CSV, and the two files of the vocabulary.

// A file that does not fit; `key` names the sentence that the page says.
class WrongFile extends Error {
  constructor(key, parts) {
    super(key);
    Object.assign(this, { key, parts });
  }
}

// Hugging Face's name of a tensor, or ours -> ours.
const ourName = (name) =>
  name.replace(/^transformer\.|(?<=^w[tp]e)\.weight$/g, "").replace(/(ln_\w+)\.weight$/, "$1.g")
    .replace(/\.weight$/, ".w").replace(/\.bias$/, ".b");

const bits = (buffer) => new Uint16Array(buffer);
const FLOATS = {
  F32: (buffer) => new Float32Array(buffer),
  BF16: (buffer) => new Float32Array(Uint32Array.from(bits(buffer), (high) => high << 16).buffer),
  F16: (buffer) => Float32Array.from(bits(buffer), half),
};

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return bits >> 15 ? -size : size;
}

// The tensors that the model needs, of a file in the format of huggingface.co/docs/safetensors.
async function readSafetensors(file, blob, shapes) {
  const length = new DataView(await blob.slice(0, 8).arrayBuffer()).getBigUint64(0, true);
  const data = blob.slice(8 + Number(length));
  const header = JSON.parse(await blob.slice(8, 8 + Number(length)).text());
  for (const [stored, { dtype, shape, data_offsets: range }] of Object.entries(header)) {
    const name = ourName(stored);
    if (!shapes[name]) continue;
    if (range[1] > data.size) throw new Error(`${file} ends within ${name}`);
    keep(file, name, shape, shapes, FLOATS[dtype](await data.slice(...range).arrayBuffer()));
  }
}

// One tensor as text, some megabytes at a time, each cut behind its last whole number.
async function readCsv(file, blob, shapes) {
  const name = ourName(file.replace(/\.csv$/, ""));
  if (!shapes[name]) return;
  const values = new Float32Array(shapes[name].reduce((a, b) => a * b));
  let [count, rest] = [0, ""];
  for (let at = 0; at < blob.size; at += 1 << 24) {
    const text = rest + (await blob.slice(at, at + (1 << 24)).text());
    const isLast = at + (1 << 24) >= blob.size;
    const words = text.trimEnd().replace("\ufeff", "").split(/[,\s]+/);
    rest = isLast || /\s$/.test(text) ? "" : words.pop();
    for (const word of words) if (word) values[count++] = Number(word);
  }
  keep(file, name, count === values.length ? shapes[name] : [count], shapes, values);
}

function keep(file, name, shape, shapes, values) {
  const [is, expected] = [shape.join(" × "), shapes[name].join(" × ")];
  if (is !== expected) throw new WrongFile("page wrong shape", { file, name, is, expected });
  if (!values.every(Number.isFinite)) throw new WrongFile("page wrong number", { file, name });
  weights.set(name, new Matrix(values.length / shape.at(-1), shape.at(-1), values, name));
}

async function readVocabulary(file, blob, shapes, vocabulary) {
  const text = await blob.text();
  if (file === "vocab.json") vocabulary.ids = JSON.parse(text);
  else vocabulary.merges = text.split(/\r?\n/).filter((line) => /^(?!#version)\S+ \S+$/.test(line));
  const isOther = Object.values(vocabulary.ids ?? {}).some((id) => !(id < shapes.wte[0]));
  if (isOther) throw new Error(`${file} is another model's`);
}

// Takes one file into `weights` or `vocabulary`.
async function readFile(file, blob, shapes, vocabulary) {
  const kind = file.split(".").at(-1);
  const read = { safetensors: readSafetensors, csv: readCsv }[kind] ?? readVocabulary;
  try {
    await read(file, blob, shapes, vocabulary);
  } catch (error) {
    if (error instanceof WrongFile) throw error;
    const key = kind === "safetensors" ? "page wrong safetensors" : "page wrong vocabulary";
    throw new WrongFile(key, { file });
  }
}

// The names of the files that are still missing.
function missing(shapes, vocabulary) {
  const absent = Object.keys(shapes).filter((name) => !weights.has(name));
  const isWhole = absent.length === Object.keys(shapes).length;
  const files = isWhole ? ["model.safetensors"] : absent.slice(0, 5).map((name) => `${name}.csv`);
  if (!vocabulary.ids) files.push("vocab.json");
  return vocabulary.merges ? files : [...files, "merges.txt"];
}
