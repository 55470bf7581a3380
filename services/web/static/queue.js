// The waiting room: follows the one number that everybody shares, and asks for the person only when something is about to change.
import { follow } from "./follow.js";
import { say } from "./say.js";

const ASK_MS = 2000;
const HIDDEN_ASK_MS = 10000;
const LOOK_MS = 1000;
// The person is asked for this often when their turn is near, and more rarely the longer the wait is.
const SHORTEST_REFRESH_MS = 15000;
const LONGEST_REFRESH_MS = 120000;
// So many pages a second may ask for their person when the lots are drawn. A turn lasts two minutes: nobody misses it by this.
const ASKED_A_SECOND = 300;
const SHORTEST_SPREAD_MS = 4000;
const LONGEST_SPREAD_MS = 40000;
// Said aloud when so many people are left before somebody.
const ANNOUNCED_AT = [1000, 500, 200, 100, 50, 20, 10, 5, 1];

let refreshAt = performance.now() + SHORTEST_REFRESH_MS;
let changesAt = changeOf(main());
let saidAhead = Infinity;
let refreshing = false;
const numbers = new Intl.NumberFormat("en");

function main() {
  return document.getElementById("main");
}

// When the person's own turn is over, counted from the server's answer: a wrong clock in the hand does not matter. What changes for
// all at once, doors and draw, is heard, and not asked for by all at once.
function changeOf(page) {
  return page.dataset.secondsLeft ? performance.now() + Number(page.dataset.secondsLeft) * 1000 + Math.random() * 2000 : Infinity;
}

// The clock of what changes by itself, whether or not anything is heard.
async function look() {
  if (main().dataset.final !== undefined) {
    unfollow();
    return;
  }
  if (performance.now() >= Math.min(refreshAt, changesAt)) await refresh();
  setTimeout(look, LOOK_MS);
}

function take(now) {
  const page = main();
  const number = Number(page.dataset.number);
  if (now.state !== page.dataset.state || now.places !== page.dataset.places) soon(spreadOf(now.waiting));
  if (!number || !page.querySelector("[data-serving]")) return;
  const ahead = Math.max(0, number - now.serving - 1);
  page.querySelector("[data-serving]").textContent = numbers.format(now.serving);
  page.querySelector("[data-ahead]").textContent = numbers.format(ahead);
  const seconds = now.rate > 0 ? Math.max(0, number - now.serving) / now.rate * 60 : null;
  const wait = page.querySelector("[data-wait]");
  if (wait) wait.textContent = words(seconds);
  announce(ahead);
  if (now.serving >= number) soon(500);
}

// All waiting pages see the same change at the same moment: they spread out, the more of them there are.
function spreadOf(people) {
  return Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, people / ASKED_A_SECOND * 1000));
}

function soon(spread) {
  refreshAt = Math.min(refreshAt, performance.now() + Math.random() * spread);
}

// As wait_words of words.py says it.
function words(seconds) {
  if (seconds === null) return "nobody can say at the moment";
  if (seconds <= 60) return "at most a minute";
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? `about ${minutes} minutes` : `about ${Math.round(minutes / 60)} hours`;
}

function announce(ahead) {
  const passed = ANNOUNCED_AT.find((mark) => saidAhead > mark && ahead <= mark);
  if (passed && saidAhead !== Infinity) say(ahead === 1 ? "One person is before you." : `${numbers.format(ahead)} people are before you.`);
  saidAhead = Math.min(saidAhead, ahead);
}

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  refreshAt = performance.now() + SHORTEST_REFRESH_MS;
  try {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    // The room is gone, and we were led to the event's page.
    if (response.ok && new URL(response.url).pathname !== location.pathname) location.assign(response.url);
    else show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // No network: asked again later.
  } finally {
    refreshing = false;
  }
}

function show(fresh) {
  const before = main();
  const after = fresh.getElementById("main");
  // While the queue cannot be seen, what is shown stays true enough.
  if (!after?.dataset.phase || after.dataset.phase === "unseen") return;
  changesAt = changeOf(after);
  refreshAt = performance.now() + patience(after);
  // A form that was just sent must not be taken away, nor the focus of somebody who reads.
  if (before.querySelector("form")?.dataset.sent) return;
  if (["phase", "heading", "asksProof"].every((name) => after.dataset[name] === before.dataset[name])) {
    for (const name of ["number", "state", "places"]) if (after.dataset[name] !== undefined) before.dataset[name] = after.dataset[name];
    return;
  }
  before.replaceWith(document.adoptNode(after));
  document.title = fresh.title;
  document.getElementById("queue-title").focus({ preventScroll: true });
  say(after.dataset.heading);
}

// Somebody far behind need not be asked for as often as the next one.
function patience(page) {
  const ahead = Number(page.querySelector("[data-ahead]")?.textContent.replaceAll(",", "") ?? 0);
  return Math.min(LONGEST_REFRESH_MS, SHORTEST_REFRESH_MS + ahead * 20) * (0.8 + Math.random() * 0.4);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(1000); });
const unfollow = follow({ socket: main().dataset.live, ask: main().dataset.ask, askMs: () => (document.hidden ? HIDDEN_ASK_MS : ASK_MS), whileHidden: true, snapshot: take, change: take });
look();
