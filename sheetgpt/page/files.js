// The model's files: inside this page, kept by the browser, or dropped on the page.

const PARTS = ["model.safetensors", "vocab.json", "merges.txt"];
const OTHER_NAMES = { "encoder.json": "vocab.json", "vocab.bpe": "merges.txt" };

// The files inside a built page, each as bytes in base64.
function inside(page) {
  const there = PARTS.filter((name) => page.getElementById(name));
  return there.map((name) => {
    const text = atob(page.getElementById(name).textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return [name, new Blob([bytes])];
  });
}

// Those files that a model can have, by the name that this page has for them.
async function usable(dropped) {
  const files = [];
  for (const file of dropped) {
    const name = OTHER_NAMES[file.name] ?? file.name;
    if (/\.(safetensors|csv)$/.test(name) || PARTS.includes(name)) files.push([name, file]);
    if (/\.html?$/.test(name))
      files.push(...inside(new DOMParser().parseFromString(await file.text(), "text/html")));
  }
  return files;
}

// Every file of what was dropped, directories opened.
async function opened(items) {
  const waiting = [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const files = [];
  for (let entry; (entry = waiting.pop()); ) {
    if (entry.isFile) files.push(await new Promise((found, no) => entry.file(found, no)));
    else {
      const reader = entry.createReader();
      const some = () => new Promise((found, no) => reader.readEntries(found, no));
      for (let more; (more = await some()).length; ) waiting.push(...more);
    }
  }
  return files;
}

// What the browser keeps: a table of (model, file name) -> file.
const asked = (request) =>
  new Promise((done, no) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => no(request.error);
  });

async function store(mode, use) {
  const opening = indexedDB.open("sheetgpt", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("files");
  const table = (await asked(opening)).transaction("files", mode).objectStore("files");
  return use(table, IDBKeyRange.bound([said.name], [said.name, []]));
}

const kept = () =>
  store("readonly", async (table, ours) => {
    const [keys, blobs] = [asked(table.getAllKeys(ours)), asked(table.getAll(ours))];
    const names = (await keys).map(([, name]) => name);
    return (await blobs).map((blob, i) => [names[i], blob]);
  }).catch(() => []); // a browser that keeps nothing for pages from the disk

const keepFiles = (files) =>
  store("readwrite", (table) =>
    Promise.all(files.map(([name, blob]) => asked(table.put(blob, [said.name, name])))),
  );

const removeFiles = () => store("readwrite", (table, ours) => asked(table.delete(ours)));
