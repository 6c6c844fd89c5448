"""The answers: pages for people, JSON for our script. No page's address is made from what came in. Touches nothing."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from troth.core.purpose import Category
from troth.front.forms import labels
from troth.front.forms.form import Form
from troth.front.http.render import render
from troth.front.request_context import wants_json
from troth.front.snapshot import Asset, Snapshot

_TITLES = {
    400: "Invalid request",
    403: "Not allowed",
    404: "Page not found",
    405: "Method not allowed",
    408: "Timed out",
    409: "Already sent",
    410: "This link has expired",
    413: "Too long",
    415: "Unsupported format",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Temporarily unavailable",
}


def closes(status: int) -> bool:
    """Whether the connection ends with this answer: what else comes on it is not to be trusted or not worth reading."""
    return status in {400, 408, 413, 415, 431}


def _page(snapshot: Snapshot | None, template: str, status: int = 200, **values: object) -> HTMLResponse:
    text = render(template, site=snapshot.published if snapshot else None, at=snapshot, **values)
    return HTMLResponse(text, status, {"connection": "close"} if closes(status) else None)


def form(
    snapshot: Snapshot,
    form: Form,
    *,
    status: int = 200,
    heading: str = "",
    notice: str = "",
    typed: Mapping[str, str] | None = None,
    ticked: int = 0,
    problems: Mapping[Category, str] | None = None,
    ticket: str,
    back: str = "",
    waiting: bool = False,
    masked: bool = False,
) -> HTMLResponse:
    """Return a form, with what was typed, what to mend, and a waiting ticket. `masked`: a card number was taken out."""
    described = labels.described(form)
    return _page(
        snapshot,
        "form.html",
        status,
        form=form,
        heading=heading,
        notice=notice,
        fields=described,
        typed=typed or {},
        ticked=ticked,
        problems={category.value: text for category, text in (problems or {}).items()},
        labels={field.name: field.label for field in described},
        ticket=ticket,
        back=back,
        waiting=waiting,
        masked=labels.MASKED if masked else "",
    )


def link(snapshot: Snapshot, template: str, **values: object) -> HTMLResponse:
    """Return the page behind a signed link: buttons, and nothing that tells whose link it is."""
    return _page(snapshot, template, 200, **values)


def privacy(snapshot: Snapshot, text: str) -> HTMLResponse:
    """Return the policy. `text` is HTML that the worker made and made inert."""
    return _page(snapshot, "privacy.html", text=text)


def of(snapshot: Snapshot, template: str, **values: object) -> HTMLResponse:
    """Return a page of a template of ours."""
    return _page(snapshot, template, 200, **values)


def thanks(snapshot: Snapshot, name: str) -> HTMLResponse | None:
    """Return a thanks page; None for one that does not exist."""
    if name not in labels.THANKS:
        return None
    heading, text, hint = labels.THANKS[name]
    return _page(snapshot, "message.html", heading=heading, text=text, hint=hint, again=False)


def thanks_masked(snapshot: Snapshot, name: str, page: int | None) -> HTMLResponse | None:
    """Return the thanks after a form from which a card number was taken out, with the way back to the `page`-th of
    those that the form returns to; None for one that does not exist."""
    form = next((candidate for candidate in snapshot.forms.values() if candidate.thanks == name), None)
    if form is None or (page is not None and page >= len(form.back)):
        return None
    back = "" if page is None else form.thanked_at(form.back[page])
    heading, text, hint = labels.THANKS[name]
    values: dict[str, object] = {"masked": labels.MASKED, "back": back, "host": urlsplit(back).netloc}
    return of(snapshot, "masked.html", heading=heading, text=text, hint=hint, **values)


def go(path: str) -> Response:
    """Answer 303: look there next, with GET."""
    return RedirectResponse(path, 303)


def error(
    request: Request | None,
    snapshot: Snapshot | None,
    status: int,
    message: str = "",
    mend: str = "",
    heading: str = "",
) -> Response:
    """Return an error as a page, or as JSON for our script. `what`, `mend` and `heading` are our own words."""
    title = heading or _TITLES.get(status) or HTTPStatus(status).phrase
    if request is not None and wants_json(request):
        return problem(status, message or title, mend)
    return _page(snapshot, "message.html", status, heading=title, text=message, hint=mend, again=status in {404, 410})


def problem(status: int, message: str, mend: str = "", **more: Any) -> JSONResponse:
    """Return an error for our script."""
    answer = JSONResponse({"what": message, "mend": mend, **more}, status)
    if closes(status):
        answer.headers["connection"] = "close"
    return answer


def lasting(request: Request, asset: Asset) -> Response:
    """A file whose name stays: asked for again after ten minutes, with the digest of the one that is here (RFC 9110,
    section 13.1.2). Pages of the vendor's may use it."""
    fields = {
        "content-type": asset.kind,
        "cache-control": "public, max-age=600",
        "etag": f'"{asset.name}"',
        "cross-origin-resource-policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == fields["etag"]:
        return Response(status_code=304, headers=fields)
    return Response(asset.data, headers=fields)
