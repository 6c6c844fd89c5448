"""The pages behind the link to one's own record. A GET shows and changes nothing; a POST goes sealed to the clerk. What
is kept lies encrypted in `public/answers/`; its key is in the link's fragment, which browsers do not send (WALL 1). May
touch: that folder, by a verified link; the clerk's line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from troth.core import facts, receipts
from troth.core.signed_links import Act, Link
from troth.core.site_files import answer_paths
from troth.front import responses
from troth.front.http.form_parsing import FormRefused, check_type, parse
from troth.front.request_context import body, require_private, visit
from troth.front.views.links import pressed, verified
from troth.rights.entry import ERASE, MAIL, RightsUsed


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _opened(request: Request) -> tuple[str, Link]:
    require_private(request)
    return verified(request, Act.RIGHTS)


def _receipt_of(request: Request, subject: UUID) -> bytes | None:
    return _read(answer_paths.path(visit(request).public, subject, answer_paths.RECEIPT))


async def show(request: Request) -> Response:
    """Answer GET with what is kept, for the script to open, and the choices; or with the receipt, if there is one."""
    text, link = _opened(request)
    written = _receipt_of(request, link.subject)
    if written is not None:
        return _receipt_page(request, text, written)
    return responses.link(visit(request).snapshot, "rights.html", here=_here(request, text))


def _here(request: Request, text: str) -> str:
    return visit(request).snapshot.path(f"privacy/me/{text}")


def _receipt_page(request: Request, text: str, written: bytes) -> Response:
    snapshot = visit(request).snapshot
    receipt: Mapping[str, Any] = receipts.read(written, snapshot.published.link_keys).told
    backups_gone = facts.gone_from_backups(receipt["key_backups_forget_by"])
    return responses.link(snapshot, "erased.html", here=_here(request, text), receipt=receipt, gone=backups_gone)


async def answer(request: Request) -> Response:
    """Return what is kept, encrypted, for the script on the link's page."""
    _, link = _opened(request)
    mark: str = request.path_params["mark"]
    blob = (
        _read(answer_paths.path(visit(request).public, link.subject, mark))
        if answer_paths.MARK.fullmatch(mark)
        else None
    )
    if blob is None:
        return responses.error(request, visit(request).snapshot, 404, "This data is no longer available.")
    return Response(blob, media_type="application/octet-stream")


async def ask_once_more(request: Request) -> Response:
    """Return the page that says what goes and what stays, with the button that does it."""
    text, _ = _opened(request)
    snapshot = visit(request).snapshot
    backups = facts.after_erasure(snapshot.published.keys_days)
    choice = facts.CHOICE_KEPT if snapshot.published.audience else ""
    return responses.link(snapshot, "erase.html", here=_here(request, text), backups=backups, choice=choice)


async def use(request: Request) -> Response:
    """Answer POST from a button: have it mailed, or erased."""
    text, _ = _opened(request)
    check_type(request.headers.get("content-type", "").encode(), request.headers.get("content-encoding", "").encode())
    wish = parse(await body(request), frozenset({"wish"})).get("wish", "")
    if wish not in {ERASE, MAIL}:
        raise FormRefused(
            400, "This request is not one of the page’s buttons.", mend="Go back and use one of the buttons."
        )
    refused = await pressed(request, RightsUsed(link=text, wish=wish), f"{wish} {text}")
    snapshot = visit(request).snapshot
    return refused or responses.go(
        f"{_here(request, text)}/erased" if wish == ERASE else snapshot.path("thanks/export")
    )


async def erased(request: Request) -> Response:
    """Return the receipt; until there is one, a page that looks again by itself."""
    text, link = _opened(request)
    written = _receipt_of(request, link.subject)
    if written is not None:
        return _receipt_page(request, text, written)
    return responses.link(visit(request).snapshot, "erasing.html", here=_here(request, text))


async def receipt(request: Request) -> Response:
    """Return the signed receipt as a file. It names nobody."""
    _, link = _opened(request)
    written = _receipt_of(request, link.subject)
    if written is None:
        return responses.error(request, visit(request).snapshot, 404, "There is no receipt for this link.")
    headers = {"content-disposition": 'attachment; filename="receipt.json"'}
    return Response(written, media_type="application/json", headers=headers)


async def keys(request: Request) -> Response:
    """Return the public keys that sign receipts and links, for whoever wants to check one."""
    public_keys = visit(request).snapshot.published.link_keys
    return PlainTextResponse("\n".join(f"{number}\n{_pem(raw)}" for number, raw in sorted(public_keys.items())))


def _pem(raw: bytes) -> str:
    key = Ed25519PublicKey.from_public_bytes(raw)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
