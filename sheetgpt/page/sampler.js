// Choosing the next token, in the order of Hugging Face's transformers: temperature, top-k, top-p.

// Random numbers that a spreadsheet can compute, too: Wichmann and Hill 1982, "Algorithm AS 183".
function uniform(seed, draw) {
  let [x, y, z] = [1 + (seed % 30268), 1 + ((seed % 30306) ** 2 % 30306), 1 + ((7 * seed) % 30322)];
  for (let i = 0; i <= draw; i++)
    [x, y, z] = [(171 * x) % 30269, (172 * y) % 30307, (170 * z) % 30323];
  return (x / 30269 + y / 30307 + z / 30323) % 1;
}

// The id of the next token; `random` is a number from 0 to 1.
function pick(logits, { temperature, topK, topP }, random) {
  const [scores, largest] = [logits.data, max(logits)];
  if (temperature <= 0) return scores.indexOf(largest);
  const shares = scores.map((score) => Math.exp((score - largest) / temperature));
  if (topK > 0 || topP < 1) cut(scores, shares, topK, topP);
  const total = shares.reduce((a, b) => a + b);
  let reached = 0;
  return shares.findIndex((share) => (reached += share / total) > random);
}

// Sets to 0 what is not among the k likeliest, then what is not needed to reach the share p.
// Tokens equal to the last one kept are kept as well.
function cut(scores, shares, k, p) {
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
  const drop = (least) => scores.forEach((score, id) => score < least && (shares[id] = 0));
  if (k > 0 && k < scores.length) drop(scores[order[k - 1]]);
  if (p >= 1) return;
  const enough = p * shares.reduce((a, b) => a + b);
  let reached = 0;
  drop(scores[order.find((id) => (reached += shares[id]) >= enough) ?? order.at(-1)]);
}
