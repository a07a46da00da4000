// GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

// Contractions; letters, numbers or other signs, each with the space before them; white space.
const GROUPS = ` ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+`;
const SPACES = `[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;

class ModelTokenizer extends Tokenizer {
  cut = new RegExp(`'s|'t|'re|'ve|'m|'ll|'d|${GROUPS}|${SPACES}`, "gu");

  // At first one part for each byte.
  rounds(word) {
    const rounds = [[...new TextEncoder().encode(word)].map((byte) => SPELLING[byte])];
    for (let next; (next = this.merged(rounds.at(-1))); ) rounds.push(next);
    return rounds.map((parts) => parts.map((each) => this.ids.get(each)));
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

  // The character of a word that has a byte without a token.
  lost = (word) => [...word].find((character) => this.rounds(character)[0].includes(undefined));
}
