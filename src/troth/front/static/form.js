// Our forms with a script: shows in place what to mend and does the work that keeps robots out.
// Without it, or where anything here fails, the form is a plain form and the server asks for a short wait instead.
// It sets no cookie, keeps nothing, and talks only to the addresses that the form itself names. A page with two forms
// brings it twice: each form is taken once.
"use strict";
(() => {
  const K = new Uint32Array(64), H0 = new Uint32Array(8);
  // FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of roots of the first 64 primes.
  for (let n = 2, i = 0; i < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d++) prime = n % d > 0;
    if (!prime) continue;
    if (i < 8) H0[i] = (Math.sqrt(n) % 1) * 2 ** 32;
    K[i++] = (Math.cbrt(n) % 1) * 2 ** 32;
  }
  const W = new Int32Array(64), H = new Int32Array(8);

  // SHA-256 of one block that is padded already (16 words in W), into H.
  const block = () => {
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      W[i] = W[i - 16] + W[i - 7]
        + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
        + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    let a = H0[0], b = H0[1], c = H0[2], d = H0[3], e = H0[4], f = H0[5], g = H0[6], h = H0[7];
    for (let i = 0; i < 64; i++) {
      const s = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i] | 0;
      const t = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + s | 0; d = c; c = b; b = a; a = s + t | 0;
    }
    H[0] = H0[0] + a; H[1] = H0[1] + b; H[2] = H0[2] + c; H[3] = H0[3] + d;
    H[4] = H0[4] + e; H[5] = H0[5] + f; H[6] = H0[6] + g; H[7] = H0[7] + h;
  };

  const words = (hex) => hex.match(/.{8}/g).map((part) => parseInt(part, 16) | 0);
  const hex = () => Array.from(H, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  const breath = () => new Promise((go) => setTimeout(go));

  // ALTCHA, version 2: the counter for which SHA-256(salt, nonce, counter) begins with the prefix.
  const solve = async (challenge) => {
    const { salt, nonce, keyPrefix } = challenge.parameters;
    const fixed = [...words(salt), ...words(nonce)], wanted = words(keyPrefix);
    let pause = performance.now() + 12;
    for (let counter = 0; counter < 2 ** 32; counter++) {
      W.set(fixed);
      W[8] = counter; W[9] = 0x80000000; W.fill(0, 10, 15); W[15] = 36 * 8;
      block();
      if (H[0] === wanted[0] && wanted.every((word, i) => H[i] === word)) {
        return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey: hex() } }));
      }
      if (!(counter & 511) && performance.now() > pause) {
        await breath();
        pause = performance.now() + 12;
      }
    }
    throw new Error("no answer");
  };

  const clear = (form) => {
    for (const old of document.querySelectorAll("[data-troth-problem]")) {
      if (!old.closest("form") || form.contains(old)) old.remove();
    }
    for (const field of form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
  };

  const say = (form, text, wrong) => {
    const place = form.querySelector("[data-troth-status]");
    if (!place) return;
    place.textContent = text;
    place.classList.toggle("problem", Boolean(wrong));
  };

  // Put what the server says in its place: the sentence beside the button with its hash, an emptied field. False where
  // this form has no such place: it was pasted before the settings changed.
  const fit = (form, told) => {
    const place = form.querySelector("[data-troth-note]"), has = (name) => form.elements.namedItem(name);
    if (told.anew || (told.note && !place) || !Object.keys(told.fields || {}).every(has)) return false;
    for (const [name, value] of Object.entries(told.put || {})) if (has(name)) has(name).value = value;
    if (told.note) {
      place.textContent = told.note;
      place.tabIndex = -1;
      place.focus();
    }
    return true;
  };

  const show = (form, fields) => {
    let first;
    for (const [name, text] of Object.entries(fields)) {
      const field = form.elements.namedItem(name);
      if (!field) continue;
      const note = document.createElement("span");
      note.className = "problem";
      note.id = `${field.id || "troth-" + name}-problem`;
      note.dataset.trothProblem = "";
      note.textContent = text;
      field.after(note);
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", note.id);
      first = first || field;
    }
    if (first) first.focus();
  };

  const busy = (form, on) => {
    form.dataset.trothBusy = on ? "yes" : "";
    for (const button of form.querySelectorAll("button")) {
      if (on) button.setAttribute("aria-disabled", "true"); else button.removeAttribute("aria-disabled");
    }
  };

  const plain = (form) => HTMLFormElement.prototype.submit.call(form);

  const ask = (url, more) => fetch(url, {
    headers: { Accept: "application/json" }, credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", ...more,
  });

  const send = async (form) => {
    const action = form.getAttribute("action") ? new URL(form.getAttribute("action"), document.baseURI) : location.href;
    const data = new URLSearchParams(new FormData(form));
    let challenge;
    try {
      const answer = await ask(new URL(form.dataset.troth, document.baseURI));
      if (!answer.ok) throw new Error("no challenge");
      challenge = await answer.json();
    } catch {
      return plain(form); // a page that may not read our answers, or no way through: the server asks for a wait
    }
    if (challenge.parameters) data.set("altcha", await solve(challenge));
    data.delete("ticket");
    const answer = await ask(action, { method: "POST", body: data });
    const told = await answer.json();
    if (answer.ok && /^https?:/.test(told.next)) return location.assign(told.next);
    if (!fit(form, told)) return plain(form); // the server shows the form as it is now, with what was typed
    busy(form, false);
    say(form, [told.what, told.mend].filter(Boolean).join(" "), true);
    show(form, told.fields || {});
  };

  const submitted = (event) => {
    const form = event.target;
    event.preventDefault();
    if (form.dataset.trothBusy) return;
    clear(form);
    busy(form, true);
    say(form, "Checking…");
    send(form).catch(() => {
      busy(form, false);
      say(form, "The site could not be reached. Please try again.", true);
    });
  };

  // Back from the server: the thanks stand in the place of the form that was sent.
  const THANKS = {};
  const thank = (form) => {
    const name = new URL(form.action).pathname.split("/").pop();
    if (!THANKS[name] || new URLSearchParams(location.search).get(name) !== "thanks") return;
    const box = document.createElement("div");
    box.dataset.trothThanks = name;
    box.setAttribute("role", "status");
    box.tabIndex = -1;
    THANKS[name].filter(Boolean).forEach((text, i) => {
      const line = document.createElement("p");
      line.appendChild(i ? document.createTextNode(text) : document.createElement("strong")).textContent = text;
      box.append(line);
    });
    form.before(box);
    form.style.setProperty("display", "none", "important");
    box.focus();
  };

  for (const form of document.querySelectorAll("form[data-troth]")) {
    if (form.dataset.trothTaken) continue;
    form.dataset.trothTaken = "yes";
    for (const trap of ["leave_empty", "website"]) { // pasted before, or taken out of its template: a style may show it
      form.elements.namedItem(trap)?.parentElement.style.setProperty("display", "none", "important");
    }
    thank(form);
    form.addEventListener("submit", submitted);
  }
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-troth]")) { busy(form, false); say(form, ""); }
  });
})();
