// GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

// Contractions; letters, numbers or other signs, each with the space before them; white space.
// (Four controls are white space to OpenAI's tokenizer, though not to Unicode.)
const SPACE = "\\p{White_Space}\\x1c-\\x1f";
const GROUPS = ` ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+`;
const SPACES = `[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;
const IN_WORDS = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";

// What a stretch of text is cut into; bytes are merged, everything else is looked up.
const CUTS = {
  bytes: `'s|'t|'re|'ve|'m|'ll|'d|${GROUPS}|${SPACES}`,
  characters: "[^]",
  words: `[^${SPACE}]+`,
  signs: `${IN_WORDS}+|(?:(?!${IN_WORDS})[^${SPACE}])+`,
};

// A vocabulary is a text, so each byte is spelled as one visible character: Ġ is a space.
let hidden = 0x100;
const SPELLING = Array.from({ length: 256 }, (_, byte) => {
  const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return String.fromCharCode(isVisible ? byte : hidden++);
});
const BYTE_OF = new Map(SPELLING.map((character, byte) => [character, byte]));

class Tokenizer {
  // vocabulary: token -> id; merges: lines such as "Ġ t", the best first; n: rows of `wte`
  // rules: the unit that is cut; specials, the longest first, which are cut out before; the token
  // that leads every text; the one for words otherwise unknown
  constructor(vocabulary, merges, n, rules) {
    this.ids = new Map(Object.entries(vocabulary));
    this.tokens = Array.from({ length: n }, (_, id) => `<|unused ${id}|>`);
    for (const [text, id] of this.ids) this.tokens[id] = text;
    this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    this.end = this.ids.get("<|endoftext|>");
    this.rules = rules;
    this.cut = new RegExp(CUTS[rules.unit], "gu");
    const plain = rules.specials.map((each) => each.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
    this.special = plain.length ? new RegExp(`(${plain.join("|")})`, "u") : null;
    this.isLookedUp = rules.unit !== "bytes";
    const texts = this.isLookedUp ? this.tokens.map((_, id) => [this.decode([id]), id]) : [];
    this.whole = new Map(texts);
  }

  // Special tokens, and what each stretch between them is cut into.
  pieces(text) {
    const stretches = this.special ? text.split(this.special) : [text];
    return stretches.flatMap((part, i) => (i % 2 ? [part] : part.match(this.cut) ?? []));
  }

  // The id of a piece that is one token as it is.
  idOf(piece) {
    if (this.rules.specials.includes(piece)) return this.ids.get(piece);
    return this.whole.get(piece) ?? this.rules.otherwise ?? undefined;
  }

  isWhole = (piece) => this.isLookedUp || this.rules.specials.includes(piece);

  // One part for each byte.
  parts(text) {
    return [...new TextEncoder().encode(text)].map((byte) => SPELLING[byte]);
  }

  // The first character or word that has no token, if there is one.
  unknown(text) {
    const missing = (piece) => this.parts(piece).some((part) => !this.ids.has(part));
    for (const piece of this.pieces(text)) {
      const isWhole = this.isWhole(piece);
      if (isWhole && this.idOf(piece) === undefined) return piece;
      const character = isWhole ? undefined : [...piece].find(missing);
      if (character) return character;
    }
  }

  // Each word on its way to tokens: the ids of its parts after each round of merging.
  words(text) {
    return this.pieces(text).map((word) => {
      if (this.isWhole(word)) return { text: word, rounds: [[this.idOf(word)]] };
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
    const isName = this.rules.specials.includes(this.tokens[id]) || bytes.includes(undefined);
    return isName ? [...new TextEncoder().encode(this.tokens[id])] : bytes;
  }

  // The text of these tokens; bytes that are no UTF-8 show as �. Words get a space between.
  decode(ids) {
    const between = ["words", "signs"].includes(this.rules.unit) ? [32] : [];
    const all = ids.flatMap((id, i) => [...(i ? between : []), ...this.bytes(id)]);
    const bytes = Uint8Array.from(all);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  // What a model reads of a text; an empty one begins where a text ends.
  read(text) {
    const leading = this.rules.leading === null ? [] : [this.rules.leading];
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
  return new Tokenizer(ids, pairs, n, rules);
}
