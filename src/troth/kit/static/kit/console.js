// Small conveniences; every page works without this file.

// After htmx loads a page, move the keyboard focus to its beginning, which screen readers announce.
// A part of a page that refreshes itself leaves the focus where it is.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail?.ctx?.sourceElement?.matches?.("#now, #progress, #sending, [data-draft]")) return;
  const main = document.getElementById("main");
  if (main && !document.activeElement?.closest?.("form")) main.focus({ preventScroll: true });
});

// Ctrl+K or Cmd+K: to the search field, or to the page that has one. (With a modifier: WCAG 2.2, 2.1.4.)
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  const field = document.querySelector("[data-find]");
  if (field) field.focus();
  else {
    const people = document.querySelector("[data-people]");
    if (people) window.location.assign(`${people.getAttribute("href")}#find`);
  }
});
if (location.hash === "#find") document.querySelector("[data-find]")?.focus();

// Keyboard shortcuts of a single key, as in a mail program: j and k along the rows, r to reply, u up, / to search. They
// can be turned off (WCAG 2.2, 2.1.4), and do nothing while somebody types.
const singleKeys = () => localStorage.getItem("keys") !== "off";
const rows = () => [...document.querySelectorAll("[data-rows] a")];
const step = (by) => {
  const all = rows(), here = all.indexOf(document.activeElement);
  all[here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, here + by))]?.focus();
};
const answerField = () => document.querySelector("[data-answer]");
const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => {
    if (answerField()) answerField().focus();
    else if (rows().includes(document.activeElement)) location.assign(`${document.activeElement.href}#answer`);
  },
  u: () => document.querySelector("[data-up]")?.click(),
  "/": () => document.querySelector("[data-find]")?.focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !Object.hasOwn(keys, event.key)) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]") || !singleKeys()) return;
  event.preventDefault();
  keys[event.key]();
});
if (location.hash === "#answer") answerField()?.focus();
const showKeys = () => {
  for (const box of document.querySelectorAll("[data-keys]")) {
    box.hidden = false;
    const button = box.querySelector("[data-keys-switch]");
    button.setAttribute("aria-pressed", String(singleKeys()));
    button.textContent = singleKeys() ? "Keyboard shortcuts are on" : "Keyboard shortcuts are off";
  }
};
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-keys-switch]")) return;
  localStorage.setItem("keys", singleKeys() ? "off" : "on");
  showKeys();
});
document.addEventListener("htmx:after:swap", showKeys);
showKeys();

// Whoever goes back before these scripts have loaded changes the address alone: load the page that it names.
const [loaded] = performance.getEntriesByType("navigation");
if (loaded && loaded.name.split("#")[0] !== location.href.split("#")[0]) location.reload();
