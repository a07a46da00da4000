// The model's files: inside this page, kept by the browser, or dropped on the page.

const PARTS = ["model.safetensors", "vocab.json", "merges.txt"];

// The files inside a built page, which are bytes in base64.
function inside(page) {
  const here = PARTS.map((name) => page.getElementById(name)).filter(Boolean);
  return here.map(({ id, textContent }) => [id, new Blob([Uint8Array.fromBase64(textContent)])]);
}

// What a model can have of a file: the file itself, or those that are inside a page.
async function usable(file) {
  const { name } = file;
  if (/\.(safetensors|csv)$/.test(name) || PARTS.includes(name)) return [[name, file]];
  if (!/\.html?$/.test(name)) return [];
  return inside(new DOMParser().parseFromString(await file.text(), "text/html"));
}

// The files of something that was dropped: itself, or all that a directory holds.
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((found, no) => entry.file(found, no))];
  const [reader, files] = [entry.createReader(), []];
  const some = () => new Promise((found, no) => reader.readEntries(found, no));
  for (let more; (more = await some()).length; )
    for (const each of more) files.push(...(await filesOf(each)));
  return files;
}

const answer = (request) => new Promise((found, onerror) =>
  Object.assign(request, { onsuccess: () => found(request.result), onerror }));

// What the browser keeps: a table of model -> files. `action` is get, put or delete.
async function store(action, ...more) {
  const opening = indexedDB.open("sheetgpt", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("models");
  const change = (await answer(opening)).transaction("models", "readwrite");
  return answer(change.objectStore("models")[action](...more));
}
