// Tokens that are whole characters or words, and are looked up. (`signs`: words and others.)

const IN_WORDS = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const CUTS = {
  characters: "[^]",
  words: `[^${SPACE}]+`,
  signs: `${IN_WORDS}+|(?:(?!${IN_WORDS})[^${SPACE}])+`,
};

class ModelTokenizer extends Tokenizer {
  cut = new RegExp(CUTS[this.unit], "gu");
  whole = new Map(this.tokens.map((_, id) => [this.decode([id]), id]));
  between = this.unit === "characters" ? [] : [0x20];
  rounds = (piece) => [[this.whole.get(piece) ?? this.otherwise ?? undefined]];
  lost = (piece) => piece;
}
