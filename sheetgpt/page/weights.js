// Reading a model's files: safetensors or CSV, and the two files of the vocabulary.

// A file that does not fit; `key` names the sentence that the page says.
class WrongFile extends Error {
  constructor(key, parts) {
    super(key);
    Object.assign(this, { key, parts });
  }
}

// Hugging Face's name of a tensor, or ours -> ours.
function ourName(name) {
  const short = name.replace(/^transformer\./, "").replace(/^(wte|wpe)\.weight$/, "$1");
  return short
    .replace(/(ln_\w+)\.weight$/, "$1.g")
    .replace(/\.weight$/, ".w")
    .replace(/\.bias$/, ".b");
}

const FLOATS = {
  F32: (buffer) => new Float32Array(buffer),
  F64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  BF16: (buffer) =>
    new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), half),
};

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return bits >> 15 ? -size : size;
}

// The tensors of a file in the format of huggingface.co/docs/safetensors that the model needs.
async function readSafetensors(file, blob, shapes) {
  let header, start;
  try {
    const length = new DataView(await blob.slice(0, 8).arrayBuffer()).getBigUint64(0, true);
    start = 8 + Number(length);
    header = JSON.parse(await blob.slice(8, start).text());
  } catch {
    throw new WrongFile("page wrong safetensors", { file });
  }
  delete header.__metadata__;
  for (const [stored, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    const name = ourName(stored);
    if (!shapes[name]) continue;
    if (!FLOATS[dtype] || start + to > blob.size)
      throw new WrongFile("page wrong safetensors", { file });
    keep(file, name, shape, shapes, FLOATS[dtype](await blob.slice(start + from, start + to).arrayBuffer()));
  }
}

// One tensor as text, some megabytes at a time, each cut behind its last whole number.
async function readCsv(file, blob, shapes) {
  const name = ourName(file.replace(/\.csv$/, ""));
  if (!shapes[name]) return;
  const size = shapes[name].reduce((a, b) => a * b);
  const values = new Float32Array(size);
  let [count, rest] = [0, ""];
  for (let at = 0; at < blob.size; at += 1 << 24) {
    const text = rest + (await blob.slice(at, at + (1 << 24)).text());
    const whole = at + (1 << 24) < blob.size ? Math.max(text.lastIndexOf(","), text.lastIndexOf("\n")) : text.length;
    rest = text.slice(whole);
    for (const word of text.slice(0, whole).split(/[,\s]+/))
      if (word) values[count++] = Number(word.replace("\ufeff", ""));
  }
  keep(file, name, count === size ? shapes[name] : [count], shapes, values);
}

function keep(file, name, shape, shapes, values) {
  const [is, expected] = [shape.join(" × "), shapes[name].join(" × ")];
  if (is !== expected) throw new WrongFile("page wrong shape", { file, name, is, expected });
  if (!values.every(Number.isFinite)) throw new WrongFile("page wrong number", { file, name });
  weights.set(name, new Matrix(values.length / shape.at(-1), shape.at(-1), values, name));
}

// Takes one file into `weights` or `vocabulary`.
async function readFile(file, blob, shapes, vocabulary) {
  if (file.endsWith(".safetensors")) return readSafetensors(file, blob, shapes);
  if (file.endsWith(".csv")) return readCsv(file, blob, shapes);
  try {
    if (file === "vocab.json") vocabulary.ids = JSON.parse(await blob.text());
    else
      vocabulary.merges = (await blob.text())
        .split("\n")
        .filter((line) => /^\S+ \S+\r?$/.test(line) && !line.startsWith("#version"))
        .map((line) => line.trimEnd());
  } catch {
    throw new WrongFile("page wrong vocabulary", { file });
  }
  if (Object.values(vocabulary.ids ?? {}).some((id) => !(id < shapes.wte[0])))
    throw new WrongFile("page wrong vocabulary", { file });
}

// The names of the files that are still missing.
function missing(shapes, vocabulary) {
  const absent = Object.keys(shapes).filter((name) => !weights.has(name));
  const some = absent.length < Object.keys(shapes).length;
  const named = some ? absent.slice(0, 5).map((name) => `${name}.csv`) : ["model.safetensors"];
  return [
    ...(absent.length ? named : []),
    ...(vocabulary.ids ? [] : ["vocab.json"]),
    ...(vocabulary.merges ? [] : ["merges.txt"]),
  ];
}
