// Small conveniences; every page works without this file.

// After a page came by htmx, say so to screen readers and put the keyboard where the new page begins.
document.addEventListener("htmx:after:swap", () => {
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
