// The page behind the link to one's own record: opens what is kept with the key in the link's fragment, which no server
// ever sees, shows it and offers it as files. It keeps nothing, and talks only to the address that the page names.
"use strict";
(() => {
  // Other pages of this link lead back here: let them carry the key along.
  for (const link of document.querySelectorAll("a[data-troth-key]")) link.hash = location.hash;

  const place = document.querySelector("[data-troth-kept]");
  if (!place) return;
  const status = place.querySelector("[data-troth-status]");
  const encoder = new TextEncoder(), decoder = new TextDecoder();

  const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text, ...more });

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));

  const mark = async (key) => {
    const told = new Uint8Array([...encoder.encode("troth answer\0"), ...key]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
    return Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const open = async (key, sealed) => {
    const opener = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
    const how = { name: "AES-GCM", iv: sealed.slice(0, 12), additionalData: encoder.encode("troth answer v1") };
    return JSON.parse(decoder.decode(await crypto.subtle.decrypt(how, opener, sealed.slice(12))));
  };

  const shown = (value) => {
    if (value === null) return "—";
    if (typeof value === "boolean") return value ? "yes" : "no";
    const at = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\+00:00$/.exec(value);
    return at ? `${at[1]}, ${at[2]} UTC` : String(value);
  };

  const show = (part) => {
    const section = element("section", "");
    section.append(element("h2", part.title));
    for (const item of part.items) {
      const list = element("dl", "", { className: "facts" });
      for (const [name, value] of Object.entries(item)) {
        list.append(element("dt", part.labels[name] || name), element("dd", shown(value)));
      }
      section.append(list);
    }
    place.append(section);
  };

  const offer = (words, name, kind, text) => {
    const href = URL.createObjectURL(new Blob([text], { type: kind }));
    return element("a", words, { href, download: name, className: "button" });
  };

  const run = async () => {
    const text = location.hash.slice(1);
    if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return "The link is incomplete. Please copy the whole link from the email.";
    if (!crypto.subtle) return "Your browser can’t decrypt your data here. You can have it emailed to you instead.";
    const key = bytes(text);
    const answer = await fetch(place.dataset.trothKept + await mark(key), { credentials: "omit", cache: "no-store", headers: { Accept: "application/json" } });
    if (answer.status === 404) return "This data is no longer available, or there is a newer link.";
    if (!answer.ok) return "The site could not be reached. Please reload the page.";
    const found = await open(key, new Uint8Array(await answer.arrayBuffer()));
    const told = JSON.parse(found.json);
    for (const part of told.parts) show(part);
    const files = element("p", "", { className: "send" });
    files.append(
      offer("Download as HTML", "your-data.html", "text/html", found.html), " ",
      offer("Download as JSON", "your-data.json", "application/json", found.json),
    );
    place.append(files);
    return told.parts.length ? "Decrypted in your browser; the key is part of your link." : "We store no data about you.";
  };

  status.textContent = "Decrypting…";
  run().then((said) => { status.textContent = said; }, () => {
    status.textContent = "This could not be decrypted. Copy the whole link from the email, or have your data emailed to you.";
  });
})();
