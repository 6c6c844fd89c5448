"""What is kept of one person, written out for them: JSON for programs, a page and a text for people. The only place
where an export leaves its types; what comes out is held in a personal type again, which `body` opens for the download
or answer."""

import base64
import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.core import contact_details
from troth.core.holdings import Part, Value
from troth.core.personal import MessageText, Personal
from troth.core.purpose import Category
from troth.gate.export import ExportDocument

_CONTEXT = b"troth answer v1"


def write(parts: Sequence[Part], *, site: str, url: str, at: datetime) -> ExportDocument:
    """Write out `parts` for the person they are about. `site`, `url`: whose export it is; `at`: when."""
    heading = f"Your data at {site}"
    typed = [replace(part, items=tuple(_typed(part))) for part in parts]
    data, page, text = map(MessageText, _documents(heading, url, at, parts))
    bare = [replace(part, items=tuple(map(_without_details, part.items))) for part in parts]
    common = _documents(heading, url, at, bare)
    return ExportDocument(
        data,
        page,
        text,
        typed=MessageText("\n".join(_documents("", "", at, typed))),
        said=MessageText("\n".join(common)),
        values=MessageText("\n".join(_values(parts))),
    )


def _documents(heading: str, url: str, at: datetime, parts: Sequence[Part]) -> tuple[str, str, str]:
    document = {"title": heading, "site": url, "made_at": _plain(at), "parts": [_part(part) for part in parts]}
    data = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return data, _page(heading, url, at, parts), "\n".join(_text(heading, url, at, parts))


def body(document: MessageText) -> bytes:
    """Return a document's bytes, for the download that it was opened for."""
    return document.reveal().encode()


def seal(export: ExportDocument) -> tuple[bytes, bytes]:
    """Encrypt the export under a fresh key; return both: `nonce 12 | AES-256-GCM`."""
    key, nonce = AESGCM.generate_key(256), os.urandom(12)
    plain = json.dumps({"json": export.data.reveal(), "html": export.page.reveal()}, ensure_ascii=False).encode()
    return key, nonce + AESGCM(key).encrypt(nonce, plain, _CONTEXT)


def fragment(key: bytes) -> str:
    """Return the key as the fragment of a link carries it: 43 characters."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


# -- values -----------------------------------------------------------------------------------------------------------


def _plain(value: Value) -> str | int | bool | None:
    if isinstance(value, Personal):
        return value.reveal()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value


def _shown(value: Value) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%-d %B %Y, %H:%M:%S} UTC"
    return str(_plain(value))


def _label(key: str) -> str:
    return _LABELS.get(key) or key.replace("_", " ").capitalize()


_LABELS: dict[str, str] = {
    **contact_details.LABELS,
    "left": "Unsubscribed",
    "mail": "Kind of email",
    "perhaps_sent": "Delivery unknown",
    "policy_version": "Version of the privacy policy",
    "receipt": "Save this as receipt.json",
    "sentence": "Consent text",
    "sha256_of_the_sentence": "SHA-256 of the consent text",
    "we_answered": "Our reply",
    "you_wrote": "Your message",
}


def _part(part: Part) -> dict[str, object]:
    items = [{key: _plain(value) for key, value in item.items()} for item in part.items]
    labels = {key: _label(key) for item in part.items for key in item}
    return {"name": part.name, "title": part.title, "typed_by_you": sorted(part.typed), "labels": labels,
            "items": items}  # fmt: skip


def _typed(part: Part) -> Iterator[dict[str, Value]]:
    for item in part.items:
        yield {key: value for key, value in item.items() if key in part.typed and key != Category.EMAIL}


def _values(parts: Sequence[Part]) -> Iterator[str]:
    personal = (value for part in parts for item in part.items for value in item.values())
    return (value.reveal() for value in personal if isinstance(value, Personal))


def _without_details(item: Mapping[str, Value]) -> dict[str, Value]:
    return {key: "" if isinstance(value, Personal) else value for key, value in item.items()}


# -- documents --------------------------------------------------------------------------------------------------------


def _text(heading: str, url: str, at: datetime, parts: Sequence[Part]) -> Iterator[str]:
    yield heading
    yield f"{url}, {_shown(at)}"
    for part in parts:
        yield f"\n{part.title}\n{'-' * len(part.title)}"
        for number, item in enumerate(part.items):
            if number:
                yield ""
            for key, value in item.items():
                yield f"{_label(key)}: {_shown(value).replace('\n', '\n    ')}"
    if not parts:
        yield "\nWe store no data about you."


_STYLE = (
    ":root{color-scheme:light dark}body{margin:0 auto;max-width:44rem;padding:2rem 1.25rem;"
    "font:1.0625rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}h1{line-height:1.25}h2{margin:2rem 0 .5rem;"
    "font-size:1.15rem}dl{display:grid;grid-template-columns:minmax(8rem,13rem) 1fr;gap:.35rem 1.25rem;margin:0;"
    "padding:.9rem 0;border-top:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    "dt{opacity:.75}dd{margin:0;white-space:pre-line}@media(max-width:34rem){dl{display:block}dd{margin:0 0 .6rem}}"
)


def _page(heading: str, url: str, at: datetime, parts: Sequence[Part]) -> str:
    sections = "".join(_section(part) for part in parts) or "<p>We store no data about you.</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{html.escape(heading)}</title><style>{_STYLE}</style></head>\n<body><h1>{html.escape(heading)}</h1>"
        f"<p>{html.escape(url)}, {_shown(at)}</p>\n{sections}</body></html>\n"
    )


def _section(part: Part) -> str:
    items = "".join(f"<dl>{''.join(_fact(key, value) for key, value in item.items())}</dl>" for item in part.items)
    return f"<section><h2>{html.escape(part.title)}</h2>{items}</section>\n"


def _fact(key: str, value: Value) -> str:
    return f"<dt>{html.escape(_label(key))}</dt><dd>{html.escape(_shown(value))}</dd>"
