// The order page: the countdown of the hold, and an order that moves on while one looks at it.
import { listen } from "./live.js";
import { say } from "./say.js";

// Who comes from the bank to an order that is confirmed sees it at the address to which the bank sends them.
const HERE = location.pathname.endsWith("/return") ? location.pathname.slice(0, -"/return".length) : location.href;
if (HERE !== location.href) history.replaceState(null, "", HERE);

const ANNOUNCED_AT = [300, 120, 60, 30, 10];
let stopCountdown = startCountdown();
let asking = null;
let again = false;

const main = document.getElementById("main");
const stopListening = main.dataset.final === undefined
  ? listen(main.dataset.live, { order: (changed) => { if (changed.state !== shown().state || changed.tickets !== shown().tickets) refresh(); } })
  : () => {};

function shown() {
  const page = document.getElementById("main");
  return { state: page.dataset.orderState, tickets: page.querySelectorAll("[data-ticket-code]").length };
}

// Asks for the page again and shows what is different; one question at a time, the last one counts.
async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = fetch(HERE, { headers: { Accept: "text/html" } });
  try {
    const response = await asking;
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // No network: the stream comes back by itself, and asks again then.
  } finally {
    asking = null;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function show(fresh) {
  const before = document.getElementById("main");
  const after = fresh.getElementById("main");
  if (!after || after.dataset.phase === before.dataset.phase) return;
  // Somebody who is writing their name must not lose it.
  for (const field of before.querySelectorAll("input:not([type=hidden])")) {
    const twin = after.querySelector(`#${CSS.escape(field.id)}`);
    if (twin && field.value) twin.value = field.value;
  }
  stopCountdown();
  before.replaceWith(document.adoptNode(after));
  document.title = fresh.title;
  document.getElementById("order-title").focus({ preventScroll: true });
  scrollTo({ top: 0, behavior: "smooth" });
  say(after.dataset.heading);
  stopCountdown = startCountdown();
  if (after.dataset.final !== undefined) stopListening();
}

function startCountdown() {
  const clock = document.querySelector("[data-countdown]");
  if (!clock) return () => {};
  // Counted from the server's answer, so that a wrong clock in the hand does not matter.
  const ends = performance.now() + Number(clock.dataset.secondsLeft) * 1000;
  const left = clock.querySelector("[data-left]");
  const bar = clock.querySelector("progress");
  let previous = Infinity;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    bar.value = seconds;
    clock.classList.toggle("is-short", seconds <= 60);
    const passed = ANNOUNCED_AT.find((mark) => previous > mark && seconds <= mark);
    if (passed && previous !== Infinity) say(passed >= 60 ? `${passed / 60} ${passed === 60 ? "minute" : "minutes"} left to pay.` : `${passed} seconds left to pay.`);
    previous = seconds;
    if (seconds === 0) {
      clearInterval(timer);
      // The server decides when it is over, and frees the places a moment later.
      setTimeout(refresh, 1500);
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
  return () => clearInterval(timer);
}
