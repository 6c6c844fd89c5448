// The editor of a campaign: saves what is typed, shows the preview, adds pictures. Without this file, buttons do it.
"use strict";
(() => {
  const PAUSE = 900; // ms without a key, after which it is saved
  const AGAIN = 5000; // ms until it is tried again
  const KNOWN = [200, 409, 422]; // answers that say in the page what became of it

  const draft = () => document.querySelector("form[data-draft]");
  const frame = () => document.querySelector("iframe#email");
  const base = () => location.pathname.match(/^\/newsletter\/[0-9a-f-]{36}\//)?.[0];
  const say = (words) => {
    const place = document.getElementById("saved");
    if (place && place.textContent !== words) place.textContent = words;
  };

  let timer, saving, changed = false, stopped = false;

  /** Save the form. What is typed meanwhile is saved next: two saves never overlap. */
  const save = async () => {
    clearTimeout(timer);
    const form = draft(), before = document.getElementById("beside");
    if (saving || stopped || !form || !changed) return;
    changed = false;
    say("Saving…");
    saving = htmx.ajax("POST", `${base()}save/`, {
      source: form, target: "#beside", select: "#beside", swap: "outerHTML", push: "false",
    });
    try { await saving; } catch { /* told below */ }
    saving = undefined;
    const after = document.getElementById("beside");
    if (after === before) {
      changed = true;
      say("Not saved. Check your connection and that you are signed in (in another tab); it is tried again.");
      timer = setTimeout(save, AGAIN);
      return;
    }
    say(after.dataset.saved);
    stopped = ["conflict", "refused"].includes(after.dataset.beside);
    if (after.dataset.beside === "saved") show();
    else changed = true;
    if (changed && after.dataset.beside === "saved") timer = setTimeout(save, PAUSE);
  };

  document.addEventListener("input", (event) => {
    if (!event.target.form?.matches("[data-draft]") || event.target.type === "file") return;
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });

  // Anything else than a part of the page (a server error, a session that ended) leaves what was typed as it is.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.matches?.("form[data-draft]") && !KNOWN.includes(ctx.response.status)) event.preventDefault();
  });

  // A button of the form waits for the save that is under way, whose revision it needs.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-draft]")) return;
    clearTimeout(timer);
    if (saving) {
      event.preventDefault();
      const { target, submitter } = event;
      saving.catch(() => {}).then(() => setTimeout(() => target.requestSubmit(submitter)));
      return;
    }
    changed = false;
  });
  window.addEventListener("beforeunload", (event) => { if (changed || saving) event.preventDefault(); });

  // -- the preview

  const chosen = (name) => document.querySelector(`[data-switches] [name=${name}]:checked`)?.value;
  let scrolled = 0;

  /** Load the email anew, where it was scrolled to. Its address has what is shown; nothing of it is in this page. */
  const show = () => {
    const email = frame();
    if (!email) return;
    const revision = document.getElementById("beside")?.dataset.revision ?? "";
    const query = new URLSearchParams({ r: revision, scheme: chosen("scheme"), part: chosen("part") });
    scrolled = email.contentWindow?.scrollY ?? 0;
    email.addEventListener("load", () => email.contentWindow?.scrollTo(0, scrolled), { once: true });
    email.contentWindow.location.replace(`${base()}email/?${query}`); // no entry in the history
  };
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-switches]") && event.target.name !== "width") show();
  });

  // -- pictures

  const problem = (words) => {
    const place = document.getElementById("picture-problem");
    place.textContent = words;
    place.hidden = !words;
  };
  const insert = (words) => {
    const text = draft().elements.markdown;
    const before = text.value.slice(0, text.selectionStart), lead = before && !before.endsWith("\n\n") ? "\n\n" : "";
    text.setRangeText(`${lead}${words}\n\n`, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.selectionStart = text.selectionEnd = before.length + lead.length + 2; // between the brackets: its description
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("change", async (event) => {
    const field = event.target.closest("[data-picture]");
    if (!field?.files.length) return;
    const body = new FormData();
    body.set("csrfmiddlewaretoken", draft().elements.csrfmiddlewaretoken.value);
    body.set("image", field.files[0]);
    field.value = "";
    problem("");
    say("Adding the picture…");
    try {
      const answer = await fetch(`${base()}images/`, { method: "POST", body, redirect: "error" });
      const told = await answer.json();
      if (answer.ok) insert(told.markdown);
      else problem(told.problem);
    } catch {
      problem("The picture was not added: it is larger than 10 MB, or the server cannot be reached.");
    }
    say(document.getElementById("beside").dataset.saved);
  });

  const begin = () => {
    for (const switches of document.querySelectorAll("[data-switches]")) switches.hidden = false;
    for (const button of document.querySelectorAll("[data-add-picture]")) button.hidden = true;
  };
  // A page that was swapped in has no frame: the guard took it, and the page before may not show one. Load it as a whole.
  document.addEventListener("htmx:after:swap", () => {
    if (document.querySelector(".screen") && !frame()) location.reload();
    else if (!draft()) changed = stopped = false;
    begin();
  });
  begin();
})();
