// From a text to the ids of its tokens and back: what the vocabularies of all models share.
// How a piece of text becomes tokens is said by GPT-2's `merges.js`, or by `words.js`.

// (Four controls are white space to OpenAI's tokenizer, though not to Unicode.)
const SPACE = "\\p{White_Space}\\x1c-\\x1f";

// A vocabulary is a text, so each byte is spelled as one visible character: Ġ is a space.
let hidden = 0x100;
const SPELLING = Array.from({ length: 256 }, (_, byte) => {
  const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return String.fromCharCode(isVisible ? byte : hidden++);
});
const BYTE_OF = new Map(SPELLING.map((character, byte) => [character, byte]));

class Tokenizer {
  between = []; // the bytes between two tokens' texts

  // vocabulary: token -> id; merges: lines such as "Ġ t", the best first; n: rows of `wte`
  // rules: the unit that is cut; specials, the longest first, which are cut out before; the token
  // that leads every text; the one for words otherwise unknown
  constructor(vocabulary, merges, n, rules) {
    this.ids = new Map(Object.entries(vocabulary));
    this.tokens = Array.from({ length: n }, (_, id) => `<|unused ${id}|>`);
    for (const [text, id] of this.ids) this.tokens[id] = text;
    this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    this.end = this.ids.get("<|endoftext|>");
    Object.assign(this, rules);
    this.special = new RegExp(`(${[...rules.specials.map(RegExp.escape), "(?!)"].join("|")})`, "u");
  }

  // Each piece on its way to tokens: the ids of its parts after each round of merging.
  words(text) {
    const cut = (part, i) => (i % 2 ? [part] : part.match(this.cut) ?? []);
    const of = (word) => this.specials.includes(word) ? [[this.ids.get(word)]] : this.rounds(word);
    return text.split(this.special).flatMap(cut).map((word) => ({ word, rounds: of(word) }));
  }

  // The first character or word that has no token, if there is one.
  unknown(text) {
    const lost = this.words(text).find(({ rounds }) => rounds[0].includes(undefined));
    return lost && (this.lost(lost.word) ?? lost.word);
  }

  // The bytes that a token stands for; of a special token that is its own name.
  bytes(id) {
    const bytes = [...this.tokens[id]].map((character) => BYTE_OF.get(character));
    const isName = this.specials.includes(this.tokens[id]) || bytes.includes(undefined);
    return isName ? [...new TextEncoder().encode(this.tokens[id])] : bytes;
  }

  // The text of these tokens; bytes that are no UTF-8 show as �.
  decode(ids) {
    const bytes = ids.flatMap((id, i) => [...(i ? this.between : []), ...this.bytes(id)]);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }

  // What a model reads of a text; an empty one begins where a text ends.
  read(text) {
    const leading = this.leading === null ? [] : [this.leading];
    const ids = [...leading, ...this.words(text).flatMap(({ rounds }) => rounds.at(-1))];
    return ids.length || this.end === undefined ? ids : [this.end];
  }
}

// The tokenizer of the two files; an error where they do not fit each other and n tokens.
async function readVocabulary(files, n, rules) {
  const ids = JSON.parse(await files.get("vocab.json").text());
  const lines = (await files.get("merges.txt").text()).split(/\r?\n/);
  const pairs = lines.filter((line) => /^(?!#version)\S+ \S+$/.test(line));
  const isWrong = pairs.some((pair) => !(pair.replace(" ", "") in ids));
  if (isWrong || Object.values(ids).some((id) => !(id < n))) throw new Error("another model's");
  return new ModelTokenizer(ids, pairs, n, rules);
}
