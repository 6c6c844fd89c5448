// The test vectors that every verifier must agree with.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { LicenceRefused, REASONS, updatesCover, Verifier } from "./index.js";

const vectors = JSON.parse(readFileSync(new URL("../licence-vectors/vectors.json", import.meta.url), "utf-8"));
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const plain = (value) => Object.fromEntries(Object.entries(value).map(([name, entry]) => [snake(name), entry]));

async function outcome(call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof LicenceRefused)) throw error;
    assert.equal(error.message, REASONS[error.reason]);
    return { reason: error.reason };
  }
}

for (const vector of vectors.licences) {
  test(`licence: ${vector.name}`, async () => {
    const verifier = new Verifier(vectors.keys, { product: vector.product });
    const revocations = { number: 1, issued: "2026-01-01", licences: new Set(vector.revoked) };
    const result = await outcome(async () => plain(await verifier.verify(vector.text, { today: vector.today, revocations })));
    assert.deepEqual(result, vector.result);
  });
}

for (const vector of vectors.revocations) {
  test(`revocation list: ${vector.name}`, async () => {
    const verifier = new Verifier(vectors.keys, { product: null });
    const result = await outcome(async () => {
      const list = await verifier.revocations(vector.text, { atLeast: vector.at_least });
      return { number: list.number, issued: list.issued, licences: [...list.licences].sort() };
    });
    assert.deepEqual(result, vector.result);
  });
}

test("there is something to try", () => assert.ok(vectors.licences.length > 20 && vectors.revocations.length > 8));

test("updates are covered until their last day", () => {
  assert.ok(updatesCover({ updatesUntil: null }, "2099-01-01"));
  assert.ok(updatesCover({ updatesUntil: "2027-01-01" }, "2027-01-01"));
  assert.ok(!updatesCover({ updatesUntil: "2027-01-01" }, "2027-01-02"));
});

test("whoever forgets the product is told", () => assert.throws(() => new Verifier(vectors.keys, {}), TypeError));
