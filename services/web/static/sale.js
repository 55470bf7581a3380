// The page of a sale, for whoever runs it: its numbers are renewed, and what is being written into its forms is left alone.

const EVERY_MS = 5000;

async function look() {
  try {
    const response = document.hidden ? null : await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (response?.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // No network: the next one comes by itself.
  }
  setTimeout(look, EVERY_MS);
}

function show(fresh) {
  for (const part of ["[data-facts]", ".pill"]) {
    const after = fresh.querySelector(part);
    // Without them the visit of support is over, or the waiting room is away: what is shown stays.
    if (after) document.querySelector(part)?.replaceWith(document.adoptNode(after));
  }
}

document.querySelector("[data-live]").hidden = false;
setTimeout(look, EVERY_MS);
