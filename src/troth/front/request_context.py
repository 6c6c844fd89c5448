"""A request as the views see it: what it asks, under which generation, and nothing about who asks but two facts."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from starlette.requests import ClientDisconnect, Request

from troth.front.http.form_parsing import BODY_LIMIT, FormRefused, too_large
from troth.front.http.rate_limit import Buckets
from troth.front.http.trusted_proxies import Caller
from troth.front.snapshot import Snapshot

BODY_SECONDS = 10.0
"""A form must be here within this time, however slowly it comes."""
_DRAIN_BYTES, _DRAIN_SECONDS = 16 << 20, 5.0


class ClerkPort(Protocol):
    """What the front needs of `ClerkLine`."""

    async def hand(self, kind: int, body: bytes, *, once: bytes | None = None, until: int = 0) -> None:
        """Hand over a frame; returns once it is on the disk."""
        ...

    async def ping(self) -> None:
        """Return where the clerk answers. Raises `ClerkGone`."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What goes with a request, under `scope["troth"]`."""

    snapshot: Snapshot
    caller: Caller
    buckets: Buckets
    line: ClerkPort
    public: Path
    """What the worker published, for answers that lie ready beside the generations."""


def visit(request: Request) -> Visit:
    """Return the visit that `app` put beside this request."""
    return cast(Visit, request.scope["troth"])


def wants_json(request: Request) -> bool:
    """Whether our script asks (it wants errors as data), rather than a browser that will show what comes."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def require_private(request: Request) -> None:
    """Refuse a personal form over an open connection (B1)."""
    caller = visit(request).caller
    if caller.unnamed_proxy:
        raise FormRefused(
            403,
            "This form cannot be used yet: the site’s setup is not finished.",
            mend="For the site operator: add the proxy to trusted_proxies in [front].",
        )
    if not caller.private:
        # Not redirected: where a proxy forgets to say that it speaks https, a redirect would go round for ever.
        raise FormRefused(
            403,
            "This form is only available over an encrypted connection.",
            mend="Open the page again with https:// at the start of its address.",
        )


async def body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Return the request's body, at most `limit` bytes within `BODY_SECONDS`. Raises `FormRefused` (408, 413)."""
    if int(request.headers.get("content-length", "0")) > limit:
        await _drain(request)
        raise too_large()
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limit:
                    break
    except TimeoutError:
        raise FormRefused(
            408, "The form took too long to arrive.", mend="Check your connection and try again."
        ) from None
    except ClientDisconnect:
        raise FormRefused(400, "The connection ended before the form was complete.") from None
    if len(data) > limit:
        await _drain(request)
        raise too_large()
    return bytes(data)


async def _drain(request: Request) -> None:
    """Let what is too long arrive and drop it: a browser that is still sending does not read the answer."""
    if "expect" in request.headers:
        return
    remaining = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while remaining > 0:
                message = await request.receive()
                remaining -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
