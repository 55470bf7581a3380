// On every page: a form is sent once, and a page that comes back from the browser's memory is asked for again
// (its form tokens and its seats are of another time).

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post") return;
  form.dataset.sent = "yes";
  const button = event.submitter ?? form.querySelector("[data-submit]");
  button?.setAttribute("aria-busy", "true");
  button?.classList.add("is-busy");
});

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

document.querySelector("[data-focus]")?.focus();
