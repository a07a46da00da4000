// GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

// Contractions; letters, numbers or other signs, each with the space before them; white space.
// (The four controls are white space to OpenAI's tokenizer, though not to Unicode.)
const SPACE = "\\p{White_Space}\\x1c-\\x1f";
const WORD = new RegExp(
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+" +
    `| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  "gu",
);
const END_OF_TEXT = "<|endoftext|>";

// A vocabulary is a text, so each byte is spelled as one visible character: Ġ is a space.
function spellings() {
  const visible = (byte) =>
    (byte >= 0x21 && byte < 0x7f) || (byte >= 0xa1 && byte < 0xad) || byte >= 0xae;
  let hidden = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(visible(byte) ? byte : hidden++),
  );
}

class Tokenizer {
  // vocabulary: token -> id; merges: lines such as "Ġ t", the best first; n: rows of `wte`
  constructor(vocabulary, merges, n) {
    this.ids = new Map(Object.entries(vocabulary));
    this.tokens = Array.from({ length: n }, (_, id) => `<|unused ${id}|>`);
    for (const [text, id] of this.ids) this.tokens[id] = text;
    this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    this.spelling = spellings();
    this.byteOf = new Map(this.spelling.map((character, byte) => [character, byte]));
    this.end = this.ids.get(END_OF_TEXT);
  }

  // The ids that the model reads; an empty prompt begins where a text ends.
  prompt(text) {
    const ids = this.words(text).flatMap((word) => word.ids);
    return ids.length || this.end === undefined ? ids : [this.end];
  }

  // Each word on its way to tokens: its parts after each round of merging, and their ids.
  words(text) {
    return (text.match(WORD) ?? []).map((word) => {
      const rounds = [[...new TextEncoder().encode(word)].map((byte) => this.spelling[byte])];
      for (let next; (next = this.merged(rounds.at(-1))); ) rounds.push(next);
      return { text: word, rounds, ids: rounds.at(-1).map((part) => this.ids.get(part)) };
    });
  }

  // The parts with every pair of the best rank joined, or nothing where no pair has a rank.
  merged(parts) {
    const rank = (i) => this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
    let best = -1;
    for (let i = 0; i + 1 < parts.length; i++)
      if (rank(i) < (best < 0 ? Infinity : rank(best))) best = i;
    if (best < 0) return null;
    const [left, right] = parts.slice(best, best + 2);
    const joined = [];
    for (let i = 0; i < parts.length; i++) {
      const isPair = parts[i] === left && parts[i + 1] === right;
      joined.push(isPair ? left + parts[++i] : parts[i]);
    }
    return joined;
  }

  // The bytes that a token stands for; of a special token that is its own name.
  bytes(id) {
    const bytes = [...this.tokens[id]].map((character) => this.byteOf.get(character));
    return bytes.includes(undefined) ? new TextEncoder().encode(this.tokens[id]) : bytes;
  }

  // The text of these tokens; bytes that are no UTF-8 show as �.
  decode(ids) {
    const bytes = Uint8Array.from(ids.flatMap((id) => [...this.bytes(id)]));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}
