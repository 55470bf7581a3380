// Draws the lots of a sale again, from what is published, and compares: the same as local/verify_queue.py does.

const MOST_PAGES = 2000;
const main = document.getElementById("main");
const verdict = document.querySelector("[data-verdict]");

async function sha256(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function read() {
  const entries = [];
  let after = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const response = await fetch(`${main.dataset.document}${after && `?after=${after}`}`);
    if (!response.ok) throw new Error("not all could be read");
    const proof = await response.json();
    entries.push(...proof.entries);
    if (!proof.next) return { ...proof, entries };
    after = proof.next;
  }
  throw new Error("too many");
}

async function check() {
  const { seed, entries } = await read();
  // The fingerprint as this page shows it: it is the one that people have written down.
  if (await sha256(seed) !== document.querySelector("[data-seed-hash]").textContent) {
    return "The seed does not fit its fingerprint. Something is wrong: tell us, with the number at the foot of this page.";
  }
  const lots = await Promise.all(entries.map(async (entry) => ({ ...entry, lot: await sha256(`${seed}:${entry.entry_id}`) })));
  lots.sort((one, other) => (one.lot < other.lot ? -1 : 1));
  const wrong = lots.filter((entry, at) => entry.number !== at + 1);
  if (wrong.length) return `${wrong.length} of ${lots.length} numbers are not what the seed gives. Something is wrong: tell us, with the number at the foot of this page.`;
  const own = lots.find((entry) => entry.entry_id === main.dataset.own);
  const yours = own ? ` Yours is ${own.number}.` : "";
  return `All is as it should be: your browser has drawn the lots of ${lots.length} entries again and found the same numbers.${yours}`;
}

if (verdict && crypto.subtle) {
  verdict.textContent = "Your browser draws the lots again…";
  check().then(
    (sentence) => { verdict.textContent = sentence; verdict.dataset.done = "yes"; },
    () => { verdict.textContent = "Not all entries could be read just now. Open this page again in a minute."; },
  );
} else if (verdict) {
  verdict.textContent = "This browser cannot compute SHA-256 here: the recipe below does.";
}
