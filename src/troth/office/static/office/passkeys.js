// Passkeys through the browser's own API. A form marked `data-passkey` carries its options; its button asks the browser,
// puts the answer into the field `credential` and sends the form.

async function options(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error("The server did not respond. Reload the page.");
  return (await answer.json()).request_options;
}

async function ask(form) {
  const told = (await options(form)).publicKey;
  if (form.dataset.passkey !== "make") {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(told) });
  }
  // A passkey proper: kept on the device, and it checks who is using it.
  told.authenticatorSelection = {
    ...told.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required",
  };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(told) });
}

function say(form, text) {
  const place = form.querySelector("[data-said]");
  place.textContent = text;
  place.hidden = !text;
}

function words(error) {
  if (error.name === "NotAllowedError") return "The passkey was not used. Try again.";
  if (error.name === "InvalidStateError") return "This device already has a passkey for this account.";
  if (error.name === "SecurityError") return "Passkeys work only at the address that is set as office.url.";
  return error.message;
}

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!able) {
    say(form, "This browser does not support passkeys. Use an authenticator app.");
    continue;
  }
  const button = form.querySelector("button");
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say(form, "");
    button.disabled = true;
    try {
      const credential = await ask(form);
      form.elements.credential.value = JSON.stringify(credential);
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      say(form, words(error));
      button.disabled = false;
    }
  });
}
