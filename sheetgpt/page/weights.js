// Reading a model's weights: safetensors or CSV.

const CHUNK_OF_TEXT = 1 << 24; // bytes of a CSV file that are read at once

// Hugging Face's name of a tensor, or ours -> ours.
const ourName = (name) => model.names[name.replace(/^transformer\./, "")] ?? name;

// A bfloat16 is the first half of a float32.
const FLOATS = {
  F32: (bits) => new Float32Array(bits),
  F16: (bits) => Float32Array.from(new Float16Array(bits)),
  BF16: (bits) => new Float32Array(Uint32Array.from(new Uint16Array(bits), (x) => x << 16).buffer),
};

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

// One tensor as text, some of it at a time; the last number of each part may go on in the next.
async function readCsv(file, blob, shapes) {
  const name = ourName(file.replace(/\.csv$/, ""));
  if (!shapes[name]) return;
  const values = new Float32Array(shapes[name].reduce((a, b) => a * b));
  let [count, rest] = [0, ""];
  for (let at = 0; at < blob.size; at += CHUNK_OF_TEXT) {
    const text = rest + (await blob.slice(at, at + CHUNK_OF_TEXT).text());
    const words = `${text}${at + CHUNK_OF_TEXT < blob.size ? "" : "\n"}`.split(/[,\s]+/);
    rest = words.pop();
    for (const word of words) if (word) values[count++] = Number(word);
  }
  keep(file, name, count === values.length ? shapes[name] : [count], shapes, values);
}

// What is thrown says which sentence is for people.
function keep(file, name, shape, shapes, values) {
  const [is, expected] = [shape.join(" × "), shapes[name].join(" × ")];
  if (is !== expected) throw { key: "page wrong shape", parts: { name, is, expected } };
  if (!values.every(Number.isFinite)) throw { key: "page wrong number", parts: { name } };
  weights.set(name, matrix(values.length / shape.at(-1), shape.at(-1), name, values));
}

const READERS = { safetensors: readSafetensors, csv: readCsv };
