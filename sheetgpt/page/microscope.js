// The microscope: the products that a number is the sum of, the largest first; arrow keys move it.

const questions = []; // who waits for an answer of the worker
let looking = 0; // the number of the last look; answers to others come too late

function question(ask, more) {
  return new Promise((answer) => {
    worker.postMessage({ ask, question: questions.push(answer) - 1, ...more });
  });
}

async function look(number) {
  const place = places.find(({ result }) => result.contains(number));
  const { name, kind, parts } = cellNamed.get(place.name());
  let [at, column] = [Number(number.parentNode.dataset.at), number.cellIndex - 1];
  if (kind === "column") [at, column] = [place.columns[column], at];
  if (kind === "seen") {
    const head = [...place.result.querySelectorAll("table")].indexOf(number.closest("table"));
    column += (head + 1) * (values[name][at].length / parts) - at - 1;
  }
  const mine = ++looking;
  const found = await question("look", { name, at, column });
  if (mine === looking) showProducts(found.left && { ...found, at });
}

function showProducts(found) {
  $("microscope").hidden = !found;
  if (!found) return;
  const { left, right, names: [a, b], column, at } = found;
  const sum = (products) => products.reduce((total, { product }) => total + product, 0);
  const products = Array.from(left, (x, i) => ({ i, x, y: right[i], product: x * right[i] }));
  const most = products.toSorted((p, q) => Math.abs(q.product) - Math.abs(p.product)).slice(0, 8);
  const line = (label, ...numbers) => ({ label, cells: numbers.map((v) => [v?.toFixed(4) ?? ""]) });
  const lines = most.map(({ i, x, y, product }) => line([i, ""], x, y, product));
  const others = products.length - most.length;
  if (others) lines.push(line([`+${others}`, ""], undefined, undefined, sum(products) - sum(most)));
  lines.push(line(["Σ", ""], undefined, undefined, sum(products)));
  const [title, table] = $("microscope").children;
  put(title, say("page product", { left: a, right: b, number: at + 1, column }));
  fill(table, ["i", a, b, "×"], lines);
}

// Arrow keys go from number to number; Escape closes the microscope.
function walk(event) {
  if (event.key === "Escape") showProducts(null);
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const [from, move] = [event.target, moves[event.key]];
  if (!move || !from.closest?.(".result")) return;
  const isNumber = from.matches("td");
  const table = isNumber ? from.closest("table") : from.querySelector("table");
  const line = table.rows[isNumber ? from.parentNode.rowIndex + move[0] : 1];
  const next = line?.cells[isNumber ? from.cellIndex + move[1] : 1];
  if (!next?.matches("td")) return;
  next.focus();
  event.preventDefault();
}
