// GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

// Contractions; letters, numbers or other signs, each with the space before them; white space.
// (Four controls are white space to OpenAI's tokenizer, though not to Unicode.)
const SPACE = "\\p{White_Space}\\x1c-\\x1f";
const GROUPS = ` ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+`;
const SPACES = `[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;
const WORD = new RegExp(`'s|'t|'re|'ve|'m|'ll|'d|${GROUPS}|${SPACES}`, "gu");

// A vocabulary is a text, so each byte is spelled as one visible character: Ġ is a space.
let hidden = 0x100;
const SPELLING = Array.from({ length: 256 }, (_, byte) => {
  const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return String.fromCharCode(isVisible ? byte : hidden++);
});
const BYTE_OF = new Map(SPELLING.map((character, byte) => [character, byte]));

class Tokenizer {
  // vocabulary: token -> id; merges: lines such as "Ġ t", the best first; n: rows of `wte`
  constructor(vocabulary, merges, n) {
    this.ids = new Map(Object.entries(vocabulary));
    this.tokens = Array.from({ length: n }, (_, id) => `<|unused ${id}|>`);
    for (const [text, id] of this.ids) this.tokens[id] = text;
    this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    this.end = this.ids.get("<|endoftext|>");
  }

  // One part for each byte.
  parts(text) {
    return [...new TextEncoder().encode(text)].map((byte) => SPELLING[byte]);
  }

  // The first character of which no token spells a byte, if there is one.
  unknown(text) {
    return [...text].find((each) => this.parts(each).some((part) => !this.ids.has(part)));
  }

  // Each word on its way to tokens: the ids of its parts after each round of merging.
  words(text) {
    return (text.match(WORD) ?? []).map((word) => {
      const rounds = [this.parts(word)];
      for (let next; (next = this.merged(rounds.at(-1))); ) rounds.push(next);
      return { text: word, rounds: rounds.map((parts) => parts.map((each) => this.ids.get(each))) };
    });
  }

  // The parts with every pair of the best rank joined, or nothing where no pair has a rank.
  merged(parts) {
    const ranks = parts.map((part, i) => this.ranks.get(`${part} ${parts[i + 1]}`) ?? Infinity);
    const best = ranks.reduce((least, each) => Math.min(least, each), Infinity);
    if (best === Infinity) return null;
    const joined = [];
    for (let i = 0; i < parts.length; i++)
      joined.push(ranks[i] === best ? parts[i] + parts[++i] : parts[i]);
    return joined;
  }

  // The bytes that a token stands for; of a special token that is its own name.
  bytes(id) {
    const bytes = [...this.tokens[id]].map((character) => BYTE_OF.get(character));
    return bytes.includes(undefined) ? [...new TextEncoder().encode(this.tokens[id])] : bytes;
  }

  // The text of these tokens; bytes that are no UTF-8 show as �.
  decode(ids) {
    const bytes = Uint8Array.from(ids.flatMap((id) => this.bytes(id)));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  // What a model reads of a text; an empty one begins where a text ends.
  read(text) {
    const ids = this.words(text).flatMap(({ rounds }) => rounds.at(-1));
    return ids.length || this.end === undefined ? ids : [this.end];
  }
}

// The tokenizer of the two files; an error where they do not fit each other and n tokens.
async function readVocabulary(files, n) {
  const ids = JSON.parse(await files.get("vocab.json").text());
  const lines = (await files.get("merges.txt").text()).split(/\r?\n/);
  const pairs = lines.filter((line) => /^(?!#version)\S+ \S+$/.test(line));
  const isWrong = pairs.some((pair) => !(pair.replace(" ", "") in ids));
  if (isWrong || Object.values(ids).some((id) => !(id < n))) throw new Error("another model's");
  return new Tokenizer(ids, pairs, n);
}
