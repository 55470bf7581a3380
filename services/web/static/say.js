// Says a sentence to people who listen to the page; for those who look, the page has changed already.
const region = document.getElementById("say");
let clearing = 0;

export function say(sentence) {
  if (!region) return;
  // The same words twice are announced only if the region was empty in between.
  region.textContent = "";
  clearTimeout(clearing);
  requestAnimationFrame(() => { region.textContent = sentence; });
  clearing = setTimeout(() => { region.textContent = ""; }, 8000);
}
