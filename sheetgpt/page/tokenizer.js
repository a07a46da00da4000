// GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

// Contractions; letters, numbers or other signs, each with the space before them; white space.
// (Four controls are white space to OpenAI's tokenizer, though not to Unicode.)
const SPACE = "\\p{White_Space}\\x1c-\\x1f";
const ENDINGS = "'s|'t|'re|'ve|'m|'ll|'d";
const SIGNS = ` ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+`;
const SPACES = `[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;
const WORD = new RegExp(`${ENDINGS}|${SIGNS}|${SPACES}`, "gu");

// A vocabulary is a text, so each byte is spelled as one visible character: Ġ is a space.
function spellings() {
  let hidden = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isVisible ? byte : hidden++);
  });
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
    this.end = this.ids.get("<|endoftext|>");
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
    const ranks = parts.slice(1).map((_, i) => rank(i));
    const best = ranks.reduce((least, each) => Math.min(least, each), Infinity);
    if (best === Infinity) return null;
    const joined = [];
    for (let i = 0; i < parts.length; i++)
      joined.push(ranks[i] === best ? parts[i] + parts[++i] : parts[i]);
    return joined;
  }

  // The bytes that a token stands for; of a special token that is its own name.
  bytes(id) {
    const bytes = [...this.tokens[id]].map((character) => this.byteOf.get(character));
    return bytes.includes(undefined) ? [...new TextEncoder().encode(this.tokens[id])] : bytes;
  }

  // The text of these tokens; bytes that are no UTF-8 show as �.
  decode(ids) {
    const bytes = Uint8Array.from(ids.flatMap((id) => this.bytes(id)));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}
