// The proof of work before somebody joins a queue that asks for it. What it is about: services/waitingroom/proof_of_work.py.
// A press of the button asks for a challenge, workers compute it, and the form is sent with what they found. What the server does
// not like is said by the page that answers the form.
import { say } from "./say.js";

// More would leave a phone none of its cores, and gain little.
const MOST_WORKERS = 4;
const STILL_AT_WORK_MS = 10000;
const BEGUN = "Your browser is computing. Then you are in the queue.";
const STILL = "Your browser is still computing.";
const CANNOT = "This browser cannot compute here. Open this page over https, or in another browser.";
const FAILED = "Your browser could not finish. Press the button again; close other tabs if that does not help.";
const NO_NETWORK = "There is no connection at the moment. Press the button again once there is one.";

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.challenge === undefined) return;
  event.preventDefault();
  // page.js has marked the form as sent, so that neither a second press nor a fresh page disturbs it.
  if (!form.dataset.computing) join(form);
});

async function join(form) {
  form.dataset.computing = "yes";
  form.querySelector("[data-not-computed]").hidden = true;
  form.querySelector("[data-computing]").hidden = false;
  say(BEGUN);
  const reminder = setInterval(() => say(STILL), STILL_AT_WORK_MS);
  try {
    const puzzle = await ask(form);
    if (puzzle) form.elements.solution.value = btoa(JSON.stringify({ challenge: puzzle, solution: await solve(puzzle, form.dataset.worker) }));
    form.submit();
  } catch (problem) {
    giveBack(form, problem.sentence ?? FAILED);
  } finally {
    clearInterval(reminder);
  }
}

// The challenge; null if there is none, and then the form is sent without an answer.
async function ask(form) {
  if (!globalThis.crypto?.subtle || !globalThis.Worker) throw { sentence: CANNOT };
  try {
    const response = await fetch(form.dataset.challenge, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    return response.ok ? await response.json() : null;
  } catch {
    throw { sentence: NO_NETWORK };
  }
}

// Each worker tries every so many numbers; the first that finds the one that fits ends it for all.
export function solve(challenge, address, count = Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1)) {
  const workers = Array.from({ length: count }, () => new Worker(address));
  const searches = workers.map((worker, counterStart) => new Promise((found, failed) => {
    worker.onmessage = ({ data }) => (data && !data.error ? found(data) : failed(data));
    worker.onerror = failed;
    worker.postMessage({ type: "work", challenge, counterStart, counterStep: count });
  }));
  return Promise.any(searches).finally(() => { for (const worker of workers) worker.terminate(); });
}

// The button can be pressed again, and what was wrong is said beside it.
function giveBack(form, sentence) {
  delete form.dataset.computing;
  delete form.dataset.sent;
  const button = form.querySelector("[data-submit]");
  button.removeAttribute("aria-busy");
  button.classList.remove("is-busy");
  form.querySelector("[data-computing]").hidden = true;
  const problem = form.querySelector("[data-not-computed]");
  problem.textContent = sentence;
  problem.hidden = false;
  say(sentence);
}
