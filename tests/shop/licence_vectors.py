"""Make the test vectors of licence keys. `python -m tests.shop.licence_vectors` writes packages/licence-vectors."""

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.shop.licences import signing
from troth.shop.licences.signing import LicenceTerms, SigningKey
from troth.shop.licences.verifier import LICENCE_CONTEXT, REVOCATIONS_CONTEXT, from_text

PATH = Path(__file__).parents[2] / "packages" / "licence-vectors" / "vectors.json"
KEYS = [SigningKey(number, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32), True) for number in (1, 2, 3)]
OLD, NEW, STRANGER = KEYS
TODAY = "2026-11-30"
ID, OTHER_ID = "00112233445566ff", "8899aabbccddee01"
TERMS = LicenceTerms(
    product="editor",
    edition="pro",
    order="T-2026-000123",
    issued=date(2026, 11, 24),
    seats=5,
    valid_until=date(2027, 11, 23),
    updates_until=date(2027, 5, 31),
    upgrade_of=OTHER_ID,
)
PLAIN = LicenceTerms(product="editor", order="1", issued=date(1970, 1, 2))
FULL = {
    "id": ID,
    "key": NEW.id,
    "product": "editor",
    "edition": "pro",
    "order": "T-2026-000123",
    "seats": 5,
    "issued": "2026-11-24",
    "valid_until": "2027-11-23",
    "updates_until": "2027-05-31",
    "upgrade_of": OTHER_ID,
}
BARE = FULL | {
    "edition": "",
    "order": "1",
    "seats": 1,
    "issued": "1970-01-02",
    "valid_until": None,
    "updates_until": None,
    "upgrade_of": "",
}


def _signed(payload, key=NEW, context=LICENCE_CONTEXT):
    return signing.to_text(payload + key.key.sign(context + payload))


def _inside(text):
    return "".join(text.splitlines()[1:-1])


def _licence(name, text, result, *, today=TODAY, product="editor", revoked=()):
    result = {"reason": result} if isinstance(result, str) else result
    return {"name": name, "text": text, "today": today, "product": product, "revoked": list(revoked), "result": result}


def _mailed(text):
    return (
        f"Hello,\r\n\r\nthank you! Here it is:\r\n\r\n{text.replace(chr(10), chr(13) + chr(10))}\r\nYours, Example\r\n"
    )


def _spellings(text):
    inside = _inside(text)
    quoted = "".join(f"> {line}\n" for line in text.splitlines())
    folded = "\n".join(text.replace("\n", " ")[place : place + 37] for place in range(0, len(text), 37))
    return {
        "in an email": _mailed(text),
        "quoted": f"You wrote:\n{quoted}",
        "quoted twice": "".join(f"> {line}\n" for line in quoted.splitlines()),
        "folded": folded,
        "quoted-printable, not decoded": text.replace("\n", "=\r\n"),
        "in one line": text.replace("\n", " "),
        "without BEGIN and END": inside,
        "without groups": inside.replace("-", ""),
        "in small letters": text.lower(),
        "with spaces for hyphens": inside.replace("-", " "),
        "with dashes for hyphens": text.replace("-", "–"),
        "with no-break spaces": text.replace("-", "\u00a0-\u00a0"),
        "typed, with 0 for O, 1 for I and 8 for B": inside.replace("O", "0").replace("I", "1").replace("B", "8"),
        "with an invisible mark first": "\ufeff" + text,
        "twice": text + "\n" + text,
    }


def _licences():
    text, bare = signing.sign(ID, TERMS, NEW), signing.sign(ID, PLAIN, NEW)
    raw = from_text(text)
    payload = raw[:-64]
    yield _licence("all fields", text, FULL)
    yield _licence("fields left empty", bare, BARE)
    yield _licence("any number of seats", signing.sign(ID, replace(TERMS, seats=0), NEW), FULL | {"seats": 0})
    most = signing.sign(ID, replace(TERMS, seats=signing.MOST_SEATS), NEW)
    yield _licence("the most seats", most, FULL | {"seats": signing.MOST_SEATS})
    longest = replace(TERMS, product="p" * 40, edition="e" * 40, order="o" * 40)
    names = {"product": "p" * 40, "edition": "e" * 40, "order": "o" * 40}
    yield _licence("the longest names", signing.sign(ID, longest, NEW), FULL | names, product="p" * 40)
    yield _licence("signed with the earlier key", signing.sign(ID, TERMS, OLD), FULL | {"key": OLD.id})
    yield _licence("any product", text, FULL, product=None)
    for name, spelled in _spellings(text).items():
        yield _licence(name, spelled, FULL)
    yield _licence("on its last day", text, FULL, today="2027-11-23")
    yield _licence("a day later", text, "expired", today="2027-11-24")
    yield _licence("another is revoked", text, FULL, revoked=[OTHER_ID])
    yield _licence("revoked", text, "revoked", revoked=[OTHER_ID, ID])
    yield _licence("revoked and expired", text, "revoked", revoked=[ID], today="2099-01-01")
    yield _licence("for another product", text, "other-product", product="viewer")
    yield _licence("the product in capitals is another", text, "other-product", product="Editor")
    yield from _bad(text, raw, payload)


def _bad(text, raw, payload):
    lines = text.splitlines(keepends=True)
    yield _licence("signed with a stranger's key", signing.sign(ID, TERMS, STRANGER), "unknown-key")
    forged = bytes([1]) + bytes.fromhex(NEW.id) + payload[5:]
    yield _licence("a stranger's, under a known id", _signed(forged, STRANGER), "altered")
    yield _licence("one seat more", signing.to_text(raw[:22] + bytes([raw[22] ^ 3]) + raw[23:]), "altered")
    yield _licence("one bit of the signature", signing.to_text(raw[:-1] + bytes([raw[-1] ^ 1])), "altered")
    yield _licence("signed as a revocation list", _signed(payload, context=REVOCATIONS_CONTEXT), "altered")
    yield _licence("signed without context", _signed(payload, context=b""), "altered")
    yield _licence("of the next version", _signed(bytes([2]) + payload[1:]), "unknown-version")
    yield _licence("a byte more", _signed(payload + b"x"), "unreadable")
    yield _licence("a byte less", _signed(payload[:-1]), "unreadable")
    yield _licence("a product without letters", _signed(payload[:31] + b"\x00\x03pro\x01x"), "unreadable")
    yield _licence("a line missing", "".join(lines[:2] + lines[3:]), "unreadable")
    yield _licence("END missing", "".join(lines[:-1]), "unreadable")
    yield _licence("one letter more", text.replace("-----END", "A-----END"), "unreadable")
    inside = _inside(signing.sign(ID, replace(TERMS, edition="prof"), NEW))  # its text has bits to spare
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    yield _licence("spare bits set", inside[:-1] + alphabet[alphabet.index(inside[-1]) + 1], "unreadable")
    yield _licence("empty", "", "unreadable")
    yield _licence("something else", "Hello, where is my licence key?", "unreadable")
    yield _licence("too long", "A" * 70_000, "unreadable")


def _list(name, text, result, at_least=0):
    result = {"reason": result} if isinstance(result, str) else result
    return {"name": name, "text": text, "at_least": at_least, "result": result}


def _signed_list(content, keys=(OLD, NEW)):
    signed = content if isinstance(content, str) else json.dumps(content)
    signatures = [
        {"key": key.id, "signature": base64.b64encode(key.key.sign(REVOCATIONS_CONTEXT + signed.encode())).decode()}
        for key in keys
    ]
    return json.dumps({"signed": signed, "signatures": signatures})


def _lists():
    day = date(2026, 11, 30)
    text = signing.sign_revocations(1795000000, day, [OTHER_ID, ID, ID], [OLD, NEW])
    good = {"number": 1795000000, "issued": "2026-11-30", "licences": [ID, OTHER_ID]}
    content = {"troth_revoked_licences": 1, **good}
    yield _list("two licences", text, good)
    yield _list("the same as before", text, good, at_least=1795000000)
    yield _list("none", signing.sign_revocations(1, day, [], [NEW]), good | {"number": 1, "licences": []})
    yield _list("with a field of a later version", _signed_list(content | {"later": {}}), good)
    yield _list("one known key among strangers", _signed_list(content, (STRANGER, NEW)), good)
    yield _list("older than one seen before", text, "list-older", at_least=1795000001)
    yield _list("signed by a stranger", _signed_list(content, (STRANGER,)), "list-unknown-key")
    yield _list("not signed", _signed_list(content, ()), "list-unknown-key")
    yield _list("a licence taken out", text.replace(f'\\"{ID}\\",', ""), "list-altered")
    signed = json.dumps(content)
    bare = [{"key": NEW.id, "signature": base64.b64encode(NEW.key.sign(signed.encode())).decode()}]
    yield _list("signed without context", json.dumps({"signed": signed, "signatures": bare}), "list-altered")
    yield _list("no licence's id", _signed_list(content | {"licences": ["x"]}), "list-unreadable")
    yield _list("of another kind", _signed_list(good), "list-unreadable")
    yield _list("a number that is none", _signed_list(content | {"number": "1"}), "list-unreadable")
    yield _list("no JSON", "revoked", "list-unreadable")
    yield _list("other JSON", "[]", "list-unreadable")
    yield _list("empty", "", "list-unreadable")


def made():
    """The file's content."""
    content = {
        "about": "Test vectors for docs/licence-format.md. Made by `python -m tests.shop.licence_vectors`. The private "
        "keys are 32 bytes of 1, of 2 and, for the stranger's, of 3: never use them.",
        "keys": [OLD.text, NEW.text],
        "licences": list(_licences()),
        "revocations": list(_lists()),
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(made(), "utf-8")
