// The model's files: inside this page, kept by the browser, or dropped on the page.

const PARTS = ["model.safetensors", "vocab.json", "merges.txt"];

// The files inside a built page, which are bytes in base64.
function inside(page) {
  return PARTS.filter((name) => page.getElementById(name)).map((name) => {
    const text = atob(page.getElementById(name).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return [name, new Blob([bytes])];
  });
}

// Those files that a model can have.
async function usable(given) {
  const files = [];
  for (const file of given) {
    const { name } = file;
    if (/\.(safetensors|csv)$/.test(name) || PARTS.includes(name)) files.push([name, file]);
    if (/\.html?$/.test(name))
      files.push(...inside(new DOMParser().parseFromString(await file.text(), "text/html")));
  }
  return files;
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

async function answer(request) {
  await new Promise((onsuccess, onerror) => Object.assign(request, { onsuccess, onerror }));
  return request.result;
}

// What the browser keeps: a table of model -> files. `action` is get, put or delete.
async function store(action, ...more) {
  const opening = indexedDB.open("sheetgpt", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("models");
  const change = (await answer(opening)).transaction("models", "readwrite");
  return answer(change.objectStore("models")[action](...more));
}
