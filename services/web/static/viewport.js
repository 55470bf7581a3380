// Zoom and pan of an SVG through its viewBox: wheel, pinch, drag, buttons.

const CLOSEST = 12;
// However close two seats are on the plan: beyond this nobody finds the way back.
const CLOSEST_OF_ALL = 400;

// `finest`: CSS pixels per unit of the drawing that must be reached, so that its smallest seat can be touched.
export function viewport(svg, holder, tools, redraw, finest) {
  const { x: left, y: top, width, height } = svg.viewBox.baseVal;
  const whole = { x: left, y: top, width, height };
  // Some air around the drawing.
  const air = Math.max(whole.width, whole.height) * 0.03;
  const home = { x: whole.x - air, y: whole.y - air, width: whole.width + 2 * air, height: whole.height + 2 * air };
  let box = { ...home };
  let dragged = false;
  let asked = false;
  const pointers = new Map();

  // CSS pixels per unit of the drawing.
  const scale = () => {
    const frame = svg.getBoundingClientRect();
    return Math.min(frame.width / box.width, frame.height / box.height) || 1;
  };

  function narrowest() {
    const frame = svg.getBoundingClientRect();
    const wanted = finest ? Math.min(frame.width, frame.height * home.width / home.height) / finest : home.width;
    return Math.max(Math.min(wanted, home.width / CLOSEST), home.width / CLOSEST_OF_ALL);
  }

  function paint() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
      holder.classList.toggle("is-close", box.width < home.width * 0.98);
      redraw();
    });
  }

  function keepInside() {
    const factor = Math.min(Math.max(box.width, narrowest()), home.width) / box.width;
    const [middleX, middleY] = [box.x + box.width / 2, box.y + box.height / 2];
    box.width *= factor;
    box.height *= factor;
    box.x = Math.min(Math.max(middleX - box.width / 2, home.x), home.x + home.width - box.width);
    box.y = Math.min(Math.max(middleY - box.height / 2, home.y), home.y + home.height - box.height);
  }

  function at(clientX, clientY) {
    const point = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }

  function zoomAt(factor, x, y) {
    const limited = Math.min(Math.max(box.width / factor, narrowest()), home.width) / box.width;
    box = { x: x - (x - box.x) * limited, y: y - (y - box.y) * limited, width: box.width * limited, height: box.height * limited };
    keepInside();
    paint();
  }

  const zoom = (factor) => zoomAt(factor, box.x + box.width / 2, box.y + box.height / 2);

  function spread() {
    const [one, other] = [...pointers.values()];
    return { distance: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  }

  svg.addEventListener("wheel", (event) => {
    // A plain wheel scrolls the page; with a key, or as a trackpad's pinch, it zooms.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY / 180), ...at(event.clientX, event.clientY));
  }, { passive: false });

  svg.addEventListener("pointerdown", (event) => {
    if (pointers.size === 0) dragged = false;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });

  svg.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const moved = { x: event.clientX, y: event.clientY };
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, moved);
      const now = spread();
      dragged = true;
      zoomAt(now.distance / (old.distance || 1), ...at(now.x, now.y));
      return;
    }
    if (!dragged && Math.hypot(moved.x - before.x, moved.y - before.y) < 6) return;
    if (box.width >= home.width * 0.98) return;
    // Captured only once it is a drag: a captured pointer's click would miss its seat.
    if (!dragged) svg.setPointerCapture(event.pointerId);
    dragged = true;
    holder.classList.add("is-moving");
    const unit = 1 / scale();
    box.x -= (moved.x - before.x) * unit;
    box.y -= (moved.y - before.y) * unit;
    pointers.set(event.pointerId, moved);
    keepInside();
    paint();
  });

  for (const ending of ["pointerup", "pointercancel", "pointerleave"]) {
    svg.addEventListener(ending, (event) => {
      pointers.delete(event.pointerId);
      if (pointers.size === 0) holder.classList.remove("is-moving");
    });
  }

  tools.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (wanted === "in") zoom(1.6);
    if (wanted === "out") zoom(1 / 1.6);
    if (wanted === "whole") { box = { ...home }; paint(); }
  });
  addEventListener("resize", paint);
  svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);

  return {
    scale,
    zoom,
    at,
    wasDrag: () => dragged,
    shows: ({ x, y, r }) => x + r > box.x && x - r < box.x + box.width && y + r > box.y && y - r < box.y + box.height,
    // So close that one unit is `wanted` CSS pixels.
    closer(clientX, clientY, wanted) {
      const [x, y] = at(clientX, clientY);
      zoomAt(wanted / scale(), x, y);
      box.x = x - box.width / 2;
      box.y = y - box.height / 2;
      keepInside();
      paint();
    },
    // Moves a seat that has the focus into sight.
    reveal({ x, y, r }) {
      const edge = r * 3;
      if (x - edge >= box.x && x + edge <= box.x + box.width && y - edge >= box.y && y + edge <= box.y + box.height) return;
      box.x = x - box.width / 2;
      box.y = y - box.height / 2;
      keepInside();
      paint();
    },
  };
}
