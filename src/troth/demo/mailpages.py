"""The test mail server's web pages: all emails, one email, the emails as JSON, and a switch for faults.

`GET /messages.json`: `[{"recipient", "subject", "raw", "number", "at", "dkim"}]`, oldest first. `DELETE /messages`
or `POST /clear`: throw all away. `POST /mode {"mode": ..., "seconds": 5}`: behave like this. May touch: nothing.
"""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from troth.demo.mailbox import MODES, Mailbox, Mode

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")
_HEADERS = {
    # The mail's HTML is shown in a sandboxed frame that inherits this policy: no script, nothing loaded, own styles.
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_BADGES = {
    "good": "DKIM: valid signature",
    "bad": "DKIM: invalid signature",
    "unsigned": "no DKIM signature",
    "unknown": "DKIM: unknown key",
}
_MODE_WORDS = {
    "ok": "works",
    "refuse": "rejects every recipient permanently",
    "tempfail": "asks to try again later",
    "slow": "responds slowly",
    "die-after-data": "accepts the email, then closes the connection without a reply",
    "die-before-data": "closes the connection before the email",
    "down": "is down",
}


class MailHost(Protocol):
    """What the pages need of the mail company."""

    mailbox: Mailbox
    behaviour: Any

    async def switch(self, mode: Mode, seconds: float) -> None:
        """Set how the mail company behaves from now on."""


def linked(text: str) -> Markup:
    """Return the text with its web addresses as links."""
    parts, end = [], 0
    for match in _LINK.finditer(text):
        url = escape(match[0])
        parts += [escape(text[end : match.start()]), Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(url)]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
_pages.filters["linked"] = linked
_pages.globals.update(badges=_BADGES, modes=_MODE_WORDS)


def app(company: MailHost, *, ready: Callable[[], None] = lambda: None) -> Starlette:
    """Serve the pages of this mail company. `ready` is called once they are served."""
    pages = _Pages(company)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        ready()
        yield

    routes: list[tuple[str, Callable[[Request], Awaitable[Response]], list[str]]] = [
        ("/", pages.listing, ["GET"]),
        ("/messages.json", pages.as_json, ["GET"]),
        ("/messages", pages.clear, ["DELETE"]),
        ("/messages/{number:int}", pages.one, ["GET"]),
        ("/clear", pages.clear, ["POST"]),
        ("/mode", pages.mode, ["GET", "POST"]),
        ("/mail.css", _style, ["GET"]),
        ("/healthz", _health, ["GET"]),
    ]
    return Starlette(routes=[Route(path, view, methods=methods) for path, view, methods in routes], lifespan=lifespan)


class _Pages:
    def __init__(self, company: MailHost) -> None:
        self._company = company

    async def listing(self, request: Request) -> Response:
        mails = sorted(self._company.mailbox, key=lambda mail: -mail.number)[:200]
        count = len(self._company.mailbox)
        return _page("mails.html", mails=mails, count=count, mode=self._company.behaviour.mode)

    async def one(self, request: Request) -> Response:
        mail = self._company.mailbox.get(request.path_params["number"])
        if mail is None:
            return _page("mails.html", 404, mails=[], count=0, mode=self._company.behaviour.mode)
        return _page("mail.html", mail=mail, headers=list(mail.message.items()))

    async def as_json(self, request: Request) -> Response:
        mails = [
            {
                "recipient": mail.recipient,
                "subject": mail.subject,
                "raw": mail.raw,
                "number": mail.number,
                "at": mail.at.isoformat(),
                "dkim": mail.dkim,
            }
            for mail in self._company.mailbox
        ]
        return JSONResponse(mails, headers=_HEADERS)

    async def clear(self, request: Request) -> Response:
        self._company.mailbox.clear()
        return _back(request)

    async def mode(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                fields = await _fields(request)
                mode, seconds = fields["mode"], float(fields.get("seconds", 5))
            except (ValueError, KeyError, TypeError):
                mode, seconds = "", 0.0
            if mode not in MODES or not 0 <= seconds <= 600:
                return PlainTextResponse(f"mode must be one of {', '.join(MODES)}; seconds 0 to 600\n", 422)
            await self._company.switch(mode, seconds)
        if request.method == "POST" and _is_form(request):
            return RedirectResponse("/", 303)
        now = self._company.behaviour
        return JSONResponse({"mode": now.mode, "seconds": now.seconds})


async def _fields(request: Request) -> Any:
    body = await request.body()
    if _is_form(request):
        pairs = (pair.partition("=") for pair in body.decode("ascii").split("&"))
        return {name: value for name, _, value in pairs}
    return json.loads(body)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _back(request: Request) -> Response:
    return RedirectResponse("/", 303) if _is_form(request) else Response(status_code=204)


async def _style(request: Request) -> Response:
    text = (Path(__file__).parent / "templates" / "mail.css").read_text("utf-8")
    return Response(text, media_type="text/css")


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _page(name: str, status: int = 200, **context: Any) -> Response:
    return HTMLResponse(_pages.get_template(name).render(**context), status, headers=_HEADERS)
