// Check licence keys and revocation lists of Troth, without a network. WebCrypto is all it needs.
// docs/licence-format.md describes both, byte by byte.

const VERSION = 1;
const LICENCE_CONTEXT = "troth licence 1\0";
const REVOCATIONS_CONTEXT = "troth revoked licences 1\0";
const REVOCATIONS_KIND = "troth_revoked_licences";
const CODE = /^[A-Za-z0-9](?:[A-Za-z0-9 ._/+-]{0,38}[A-Za-z0-9.+])?$/;
const SIGNATURE = 64;
const FIXED = 31; // bytes before the three texts
const LARGEST = FIXED + 3 * 41 + SIGNATURE;
const LONGEST_TEXT = 64 * 1024;
const LONGEST_LIST = 64 * 1024 * 1024;
// Where a line may have been broken, and quoted.
const BEGIN = new RegExp([..."BEGINLICENCEKEY"].join("[\\s>=]*"), "i");
const END = new RegExp([..."ENDLICENCEKEY"].join("[\\s>=]*"), "i");
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648
const MISTAKEN = { 0: "O", 1: "I", 8: "B" }; // what is typed for a letter

export const REASONS = Object.freeze({
  unreadable: "This is not a whole licence key. Copy all of it, from BEGIN to END.",
  "unknown-version": "This licence key is of a newer format. Update the program that checks it.",
  "unknown-key": "This licence key was signed with a key that this program does not know.",
  altered: "This licence key was altered: its signature does not fit.",
  "other-product": "This licence key is for another product.",
  expired: "This licence has expired.",
  revoked: "This licence was revoked: its purchase was refunded or cancelled.",
  "list-unreadable": "This is not a whole revocation list.",
  "list-unknown-key": "This revocation list was signed with a key that this program does not know.",
  "list-altered": "This revocation list was altered: its signature does not fit.",
  "list-older": "This revocation list is older than one that was seen before.",
});

/** A text that is no good licence key or revocation list. `reason` is a key of REASONS. */
export class LicenceRefused extends Error {
  constructor(reason) {
    super(REASONS[reason]);
    this.name = "LicenceRefused";
    this.reason = reason;
  }
}

/** Checks licence keys of one vendor. Make it once: it imports the public keys. */
export class Verifier {
  #keys;
  #product;

  /** `keys`: public keys in base64. `product`: the only one that is accepted; null: any, and the caller looks. */
  constructor(keys, { product }) {
    if (product === undefined) throw new TypeError("say which product, or null for any");
    this.#product = product;
    this.#keys = importKeys(keys.map(fromBase64));
    this.#keys.catch(() => {}); // told by whichever call comes first
  }

  /** Return the licence in `text`. `today`: default: today, UTC. Throws LicenceRefused. */
  async verify(text, { today = new Date().toISOString().slice(0, 10), revocations = null } = {}) {
    const raw = fromText(text);
    if (raw[0] !== VERSION) throw new LicenceRefused("unknown-version");
    const payload = raw.subarray(0, -SIGNATURE);
    const licence = parse(payload);
    await this.#check(licence.key, raw.subarray(-SIGNATURE), LICENCE_CONTEXT, payload, "");
    if (this.#product !== null && licence.product !== this.#product) throw new LicenceRefused("other-product");
    if (revocations !== null && revocations.licences.has(licence.id)) throw new LicenceRefused("revoked");
    if (licence.validUntil !== null && today > licence.validUntil) throw new LicenceRefused("expired");
    return licence;
  }

  /** Return the revocation list in `text`. `atLeast`: the number of the newest one seen so far. Throws LicenceRefused. */
  async revocations(text, { atLeast = 0 } = {}) {
    const keys = await this.#keys;
    const { signed, signatures } = shellOf(text);
    const known = signatures.find((entry) => keys.has(entry.key));
    if (known === undefined) throw new LicenceRefused("list-unknown-key");
    const message = new TextEncoder().encode(signed);
    await this.#check(known.key, known.signature, REVOCATIONS_CONTEXT, message, "list-");
    const revocations = revocationsOf(signed);
    if (revocations.number < atLeast) throw new LicenceRefused("list-older");
    return revocations;
  }

  async #check(id, signature, context, message, prefix) {
    const key = (await this.#keys).get(id);
    if (key === undefined) throw new LicenceRefused(`${prefix}unknown-key`);
    const before = new TextEncoder().encode(context);
    const whole = new Uint8Array(before.length + message.length);
    whole.set(before);
    whole.set(message, before.length);
    if (!(await crypto.subtle.verify("Ed25519", key, signature, whole))) {
      throw new LicenceRefused(`${prefix}altered`);
    }
  }
}

/** Return whether a version that was released on this day, such as "2026-11-30", is included. */
export function updatesCover(licence, released) {
  return licence.updatesUntil === null || released <= licence.updatesUntil;
}

async function importKeys(raw) {
  const entries = raw.map(async (key) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", key));
    return [hex(digest.subarray(0, 4)), await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"])];
  });
  return new Map(await Promise.all(entries));
}

function fromText(text) {
  if (text.length > LONGEST_TEXT) throw new LicenceRefused("unreadable");
  const begin = BEGIN.exec(text);
  if (begin !== null) {
    text = text.slice(begin.index + begin[0].length);
    const end = END.exec(text);
    if (end === null) throw new LicenceRefused("unreadable");
    text = text.slice(0, end.index);
  }
  return fromBase32(text);
}

function fromBase32(text) {
  const bytes = [];
  let bits = 0;
  let spare = 0;
  for (const sign of text) {
    const value = sign.length === 1 && /[A-Za-z0-8]/.test(sign) ? ALPHABET.indexOf((MISTAKEN[sign] ?? sign).toUpperCase()) : -1;
    if (value < 0) continue; // whatever email programs, quoting and typing put between the letters
    bits = (bits << 5) | value;
    spare += 5;
    if (spare >= 8) {
      spare -= 8;
      bytes.push(bits >> spare);
      bits &= (1 << spare) - 1;
    }
  }
  const wrong = spare > 4 || bits !== 0; // one licence has one spelling
  if (wrong || bytes.length <= FIXED + SIGNATURE || bytes.length > LARGEST) throw new LicenceRefused("unreadable");
  return Uint8Array.from(bytes);
}

function parse(payload) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const texts = [];
  let place = FIXED;
  for (let count = 0; count < 3; count += 1) {
    const length = place < payload.length ? payload[place] : 0;
    texts.push(String.fromCharCode(...payload.subarray(place + 1, place + 1 + length)));
    place += 1 + length;
  }
  const [product, edition, order] = texts;
  const good = CODE.test(product) && CODE.test(order) && (edition === "" || CODE.test(edition));
  if (place !== payload.length || !good) throw new LicenceRefused("unreadable");
  const upgradeOf = hex(payload.subarray(23, 31));
  return {
    id: hex(payload.subarray(5, 13)),
    key: hex(payload.subarray(1, 5)),
    product,
    edition,
    order,
    seats: view.getUint32(19),
    issued: day(view.getUint16(13)),
    validUntil: view.getUint16(15) === 0 ? null : day(view.getUint16(15)),
    updatesUntil: view.getUint16(17) === 0 ? null : day(view.getUint16(17)),
    upgradeOf: /^0*$/.test(upgradeOf) ? "" : upgradeOf,
  };
}

function shellOf(text) {
  try {
    const shell = text.length <= LONGEST_LIST ? JSON.parse(text) : null;
    if (typeof shell.signed !== "string") throw new TypeError();
    const signatures = shell.signatures.map(({ key, signature }) => ({ key, signature: fromBase64(signature) }));
    return { signed: shell.signed, signatures };
  } catch {
    throw new LicenceRefused("list-unreadable");
  }
}

function revocationsOf(signed) {
  try {
    const { [REVOCATIONS_KIND]: kind, number, issued, licences } = JSON.parse(signed);
    const good = kind === 1 && Number.isSafeInteger(number) && /^\d{4}-\d\d-\d\d$/.test(issued);
    if (!good || !licences.every((id) => /^[0-9a-f]{16}$/.test(id))) throw new TypeError();
    return { number, issued, licences: new Set(licences) };
  } catch {
    throw new LicenceRefused("list-unreadable");
  }
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function day(number) {
  return new Date(number * 86_400_000).toISOString().slice(0, 10);
}
