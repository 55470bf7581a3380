// The plan of the house. Its circles are another way to tick the boxes of the list: they hold no state of their own.
import { viewport } from "./viewport.js";

const SVG = "http://www.w3.org/2000/svg";
// A seat smaller than this on the screen (radius in CSS pixels) is too small for a finger: a tap looks closer first.
// WCAG 2.5.8 asks for 24 pixels across.
const SMALLEST_TAP_PX = 12;
// So large it is after that tap, and the smallest seat of the house when the plan is as close as it goes.
const AFTER_TAP_PX = 15;
const SMALLEST_NUMBER_PX = 9;

export function seatPlan(holder, tools, inputs, { nameOf, price, changed, say }) {
  let svg = null;
  let view = null;
  let ring = null;
  let marks = null;
  let current = null;
  const circles = new Map();

  load().catch(() => {
    // The picture stays a picture; the list below still works.
    tools.hidden = true;
  });

  async function load() {
    const response = await fetch(holder.dataset.plan);
    if (!response.ok) throw new Error(`the plan answered ${response.status}`);
    const drawn = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
    svg = document.adoptNode(drawn);
    svg.classList.add("plan__live");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "Plan of the seats. Move with the arrow keys, choose with space.");
    marks = svg.appendChild(document.createElementNS(SVG, "g"));
    for (const input of inputs) {
      const circle = svg.querySelector(`#p${input.id.slice(1)}`);
      if (!circle) continue;
      circles.set(input, { circle, input, x: circle.cx.baseVal.value, y: circle.cy.baseVal.value, r: circle.r.baseVal.value });
      circle.setAttribute("role", "checkbox");
      circle.setAttribute("tabindex", "-1");
      circle.seat = circles.get(input);
      draw(input);
    }
    ring = svg.appendChild(document.createElementNS(SVG, "circle"));
    ring.setAttribute("class", "plan__ring");
    ring.setAttribute("visibility", "hidden");
    holder.querySelector("img").replaceWith(svg);
    const first = [...circles.values()].find((one) => !one.input.disabled) ?? [...circles.values()][0];
    if (first) roveTo(first, false);
    const smallest = Math.min(...[...circles.values()].map((seat) => seat.r));
    view = viewport(svg, holder, tools, redrawMarks, Number.isFinite(smallest) ? AFTER_TAP_PX / smallest : 0);
    redrawMarks();
    svg.addEventListener("click", click);
    svg.addEventListener("keydown", key);
    svg.addEventListener("focusin", focused);
    svg.addEventListener("focusout", () => ring.setAttribute("visibility", "hidden"));
  }

  function draw(input) {
    const { circle, r } = circles.get(input);
    const state = input.checked ? "chosen" : { held: "being bought by somebody", sold: "sold" }[input.dataset.state] ?? (input.disabled ? "taken" : "free");
    // Taken seats shrink, so that what is free stands out without its colour too.
    circle.setAttribute("r", String(input.disabled ? r * 0.5 : r));
    circle.setAttribute("aria-checked", String(input.checked));
    if (input.disabled) circle.setAttribute("aria-disabled", "true"); else circle.removeAttribute("aria-disabled");
    circle.setAttribute("aria-label", `${nameOf(input)}, ${price(input)}, ${state}`);
  }

  // Ticks on chosen seats, and numbers on those that are large enough to hold one: a few at a time, not 2,000.
  function redrawMarks() {
    marks.replaceChildren();
    for (const seat of circles.values()) {
      if (seat.input.checked) marks.append(tick(seat));
      else if (!seat.input.disabled && seat.r * view.scale() >= SMALLEST_NUMBER_PX && view.shows(seat)) marks.append(number(seat));
    }
  }

  function tick({ x, y, r }) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", "plan__tick");
    path.setAttribute("d", `M${x - r * 0.42} ${y + r * 0.02}l${r * 0.3} ${r * 0.32}l${r * 0.54}-${r * 0.62}`);
    path.setAttribute("stroke-width", String(r * 0.2));
    return path;
  }

  function number({ circle, input, x, y, r }) {
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("class", "plan__numbers");
    text.setAttribute("x", String(x));
    text.setAttribute("y", String(y + r * 0.34));
    text.setAttribute("font-size", String(r * 0.95));
    text.setAttribute("aria-hidden", "true");
    text.setAttribute("fill", inkOn(circle.parentElement.getAttribute("fill")));
    text.textContent = input.parentElement.textContent.trim();
    return text;
  }

  function toggle({ input }) {
    if (input.disabled) {
      say(`${nameOf(input)} is taken.`);
      return;
    }
    input.checked = !input.checked;
    changed(input);
  }

  function click(event) {
    if (view.wasDrag()) return;
    if (event.pointerType !== "mouse" && event.detail > 0) {
      const meant = event.target.seat ?? nearest(...view.at(event.clientX, event.clientY));
      if (meant && meant.r * view.scale() < SMALLEST_TAP_PX) {
        view.closer(event.clientX, event.clientY, AFTER_TAP_PX / meant.r);
        return;
      }
    }
    const seat = event.target.seat;
    if (!seat) return;
    roveTo(seat, true);
    toggle(seat);
  }

  function nearest(x, y) {
    let [best, least] = [null, Infinity];
    for (const seat of circles.values()) {
      const distance = Math.hypot(seat.x - x, seat.y - y) - seat.r;
      if (distance < least) [best, least] = [seat, distance];
    }
    return best;
  }

  function key(event) {
    const seat = event.target.seat;
    if (!seat) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " " || event.key === "Enter") toggle(seat);
    else if (moves[event.key]) roveTo(neighbour(seat, moves[event.key]), true);
    else if (event.key === "Home" || event.key === "End") roveTo(rowEnd(seat, event.key === "Home"), true);
    else if (event.key === "+" || event.key === "-") view.zoom(event.key === "+" ? 1.5 : 1 / 1.5);
    else return;
    event.preventDefault();
  }

  // The nearest seat in that direction; what lies to the side counts double, so that rows are followed.
  function neighbour(from, [dx, dy]) {
    let best = from;
    let least = Infinity;
    for (const seat of circles.values()) {
      const ahead = (seat.x - from.x) * dx + (seat.y - from.y) * dy;
      const aside = Math.abs((seat.x - from.x) * dy) + Math.abs((seat.y - from.y) * dx);
      if (ahead <= from.r * 0.5 || aside > ahead * 3) continue;
      const distance = ahead + aside * 2;
      if (distance < least) [best, least] = [seat, distance];
    }
    return best;
  }

  function rowEnd(from, first) {
    const row = [...circles.values()].filter((seat) => seat.input.closest("fieldset") === from.input.closest("fieldset"));
    return first ? row[0] : row[row.length - 1];
  }

  function roveTo(seat, focus) {
    current?.circle.setAttribute("tabindex", "-1");
    current = seat;
    seat.circle.setAttribute("tabindex", "0");
    if (focus) seat.circle.focus({ preventScroll: true });
  }

  function focused(event) {
    const seat = event.target.seat;
    if (!seat) return;
    if (seat !== current) roveTo(seat, false);
    view.reveal(seat);
    if (!event.target.matches(":focus-visible")) return;
    ring.setAttribute("cx", String(seat.x));
    ring.setAttribute("cy", String(seat.y));
    ring.setAttribute("r", String(seat.r * 1.45));
    ring.setAttribute("visibility", "visible");
  }

  return {
    update(input) {
      if (!view || !circles.has(input)) return;
      draw(input);
      redrawSoon();
    },
  };

  function redrawSoon() {
    if (redrawSoon.asked) return;
    redrawSoon.asked = true;
    requestAnimationFrame(() => { redrawSoon.asked = false; redrawMarks(); });
  }
}

function inkOn(colour) {
  const hex = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#1b1622" : "#ffffff";
}
