// The microscope: the products that a number is the sum of, the largest first; arrow keys move it.

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// What is under the pointer or has the focus, if it is a number.
async function look({ target }) {
  const { at, column } = target;
  const name = at >= 0 ? nameOf(target.closest(".cell")) : "";
  // The answers come in the order of the questions, so the last one stays.
  const { factors, ...place } = await ask("look", { name, at, column });
  $("microscope").hidden = !factors;
  if (factors) showProducts(factors, { number: at + 1, ...place });
}

function showProducts([x, y], place) {
  const products = x.map((value, i) => [i, value, y[i], value * y[i]]);
  const total = products.reduce((sum, [, , , product]) => sum + product, 0);
  const most = products.sort((p, q) => Math.abs(q[3]) - Math.abs(p[3])).slice(0, 8);
  const lines = most.map(([i, ...numbers]) => line(i, "", numbers.map((n) => td(n.toFixed(4)))));
  lines.push(line(`Σ ${x.length}`, "", [td(""), td(""), td(total.toFixed(4))]));
  const heading = ["h2", { textContent: say("page product", place) }];
  show($("microscope"), [heading, table(["i", place.left, place.right, "×"], lines)]);
}

// Arrow keys go from number to number; Escape closes the microscope.
function walk(event) {
  if (event.key === "Escape") $("microscope").hidden = true;
  const [from, move] = [event.target, MOVES[event.key]];
  if (!move || !from.matches("td")) return;
  const line = from.closest("table").rows[from.parentNode.rowIndex + move[0]];
  const next = line?.cells[from.cellIndex + move[1]];
  if (next?.localName !== "td") return;
  Object.assign(next, { tabIndex: -1 }).focus();
  event.preventDefault();
}
