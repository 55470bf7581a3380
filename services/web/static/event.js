// The event page: steppers, seats and what was chosen, all of them views of the same form fields.
import { follow } from "./follow.js";
import { say } from "./say.js";
import { seatPlan } from "./seats.js";

// How often is asked which places are left, while no socket says it.
const ASK_MS = 5000;

const form = document.getElementById("buy");
if (form) start(form);

function start(form) {
  const most = Number(form.dataset.most);
  const quantities = [...form.querySelectorAll("input[type=number]")];
  const seats = [...form.querySelectorAll("input[name=seat]")];
  const list = form.querySelector("[data-choice]");
  const nothing = list.innerHTML;
  const submit = form.querySelector("[data-submit]");
  const total = form.querySelector("[data-total]");
  const counter = form.querySelector("[data-count]");
  let frozen = false;

  const amount = (minor) => written(minor, form.dataset);
  const free = total.textContent;
  const chosenCount = () => quantities.reduce((sum, input) => sum + (Number(input.value) || 0), 0) + seats.filter((seat) => seat.checked).length;

  function show() {
    const chosen = [
      ...quantities.filter((input) => Number(input.value) > 0).map((input) => ({
        name: `${input.value} × ${input.dataset.name}`, minor: Number(input.value) * Number(input.dataset.price),
        remove: () => { input.value = "0"; changed(input); },
      })),
      ...seats.filter((seat) => seat.checked).map((seat) => ({
        name: nameOf(seat), minor: Number(seat.closest("fieldset").dataset.price),
        remove: () => { seat.checked = false; changed(seat); },
      })),
    ];
    list.innerHTML = chosen.length ? "" : nothing;
    for (const one of chosen) list.append(line(one));
    const sum = chosen.reduce((minor, one) => minor + one.minor, 0);
    total.textContent = chosen.length ? amount(sum) : free;
    const count = chosenCount();
    counter.textContent = count ? `${count} ${count === 1 ? "place" : "places"}` : "Total";
    submit.setAttribute("aria-disabled", String(count === 0));
    for (const input of quantities) {
      const [less, more] = input.parentElement.querySelectorAll("button");
      less.disabled = input.disabled || Number(input.value) <= 0;
      more.disabled = input.disabled || Number(input.value) >= Number(input.max) || count >= most;
    }
  }

  function line(one) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    const price = document.createElement("b");
    const remove = document.createElement("button");
    name.textContent = one.name;
    price.textContent = amount(one.minor);
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Remove ${one.name}`);
    remove.addEventListener("click", () => { one.remove(); submit.focus(); });
    item.append(name, price, remove);
    return item;
  }

  function changed(input) {
    if (chosenCount() > most) {
      say(`At most ${most} places an order.`);
      if (input.type === "checkbox") input.checked = false;
      else input.value = String(Math.max(0, Number(input.value) - (chosenCount() - most)));
    }
    if (input.type === "number") {
      const wanted = Math.trunc(Number(input.value)) || 0;
      input.value = String(Math.min(Math.max(wanted, 0), Number(input.max)));
    }
    plan?.update(input);
    show();
    say(`${input.type === "checkbox" ? `${nameOf(input)} ${input.checked ? "chosen" : "given back"}. ` : ""}Total ${total.textContent}.`);
  }

  // Somebody else was quicker, or has let go.
  function mark(seat, state) {
    if (state === "free") {
      seat.disabled = false;
      delete seat.dataset.state;
    } else {
      if (seat.checked) {
        seat.checked = false;
        say(`${nameOf(seat)} has just been taken by somebody else.`);
      }
      seat.disabled = true;
      seat.dataset.state = state;
    }
    plan?.update(seat);
  }

  function countZones() {
    for (const zone of form.querySelectorAll(".zone")) {
      const left = zone.querySelectorAll("input:enabled").length;
      zone.querySelector(".zone__free").textContent = left ? `${left.toLocaleString("en")} free` : "Sold out";
    }
  }

  function apply(changes, snapshot) {
    // After sending, what is taken includes our own places.
    if (frozen) return;
    const states = new Map();
    for (const state of ["free", "held", "sold"]) for (const index of changes[state] ?? []) states.set(index, state);
    if (snapshot || states.size) {
      for (const seat of seats) {
        const reported = states.get(Number(seat.id.slice(1))) ?? (snapshot ? "free" : undefined);
        // The stream tells everybody the same: that a seat is held, not that it is ours.
        const wanted = reported === "held" && seat.dataset.state === "own" ? "own" : reported;
        if (wanted && wanted !== (seat.dataset.state ?? "free")) mark(seat, wanted);
      }
      countZones();
    }
    for (const [classId, left] of Object.entries(changes.places ?? {})) applyPlaces(classId, left);
    show();
  }

  function applyPlaces(classId, { most: highest, words }) {
    const item = form.querySelector(`[data-class-id="${CSS.escape(classId)}"]`);
    const input = item?.querySelector("input");
    if (!input) return;
    item.querySelector("[data-left]").textContent = words;
    input.max = String(highest);
    input.disabled = highest === 0;
    if (Number(input.value) > highest) {
      input.value = String(highest);
      say(`${input.dataset.name}: ${words}.`);
    }
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    const input = button.parentElement.querySelector("input");
    input.value = String((Number(input.value) || 0) + Number(button.dataset.step));
    changed(input);
  });
  // A number counts while it is typed. An empty field is on its way to the next number, and is 0 when it is left.
  form.addEventListener("input", (event) => {
    if (!event.target.matches("input[type=number]")) return;
    if (event.target.value === "") show(); else changed(event.target);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("input[name=seat]") || (event.target.matches("input[type=number]") && event.target.value === "")) changed(event.target);
  });
  form.addEventListener("submit", (event) => {
    if (chosenCount() === 0) {
      event.preventDefault();
      event.stopPropagation();
      say("Choose a place first.");
      return;
    }
    frozen = true;
  });

  const holder = form.querySelector("[data-plan]");
  const plan = holder && seatPlan(holder, form.querySelector("[data-tools]"), seats, { nameOf, price: (seat) => amount(Number(seat.closest("fieldset").dataset.price)), changed, say });
  show();
  follow({ socket: form.dataset.live, ask: form.dataset.ask, askMs: () => ASK_MS, snapshot: (state) => apply(state, state.seats !== "unknown"), change: (state) => apply(state, false) });
}

// An amount with the parts of which the server writes amounts itself: prices and their sum never read differently.
function written(minor, { before, after, decimal, group, primary, secondary, digits }) {
  const text = String(minor).padStart(Number(digits) + 1, "0");
  let whole = text.slice(0, text.length - Number(digits));
  const groups = [];
  for (let size = Number(primary); whole.length > size; size = Number(secondary)) {
    groups.unshift(whole.slice(-size));
    whole = whole.slice(0, -size);
  }
  const fraction = Number(digits) ? decimal + text.slice(-Number(digits)) : "";
  return before + [whole, ...groups].join(group) + fraction + after;
}

// A seat as its plan calls it, on tickets and in mails too.
function nameOf(seat) {
  const { before, after } = seat.closest("fieldset").dataset;
  return seat.parentElement.dataset.label ?? `${before}${seat.parentElement.textContent.trim()}${after}`;
}
