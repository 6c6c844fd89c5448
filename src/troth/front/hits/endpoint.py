"""`/hit`: a hit comes in as a beacon or as a pixel, and is answered once it is counted on the disk. Raw ASGI, as it is
asked for more often than all else. The shop's pages have no script; the front counts them itself.

The address and the agent live in local variables of `_seen` and in the `SeenHit` that it returns; both go with the
request (V1). Whoever asked not to be counted, by Global Privacy Control or by one click here, is not. Touches nothing.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace

from starlette.types import Message, Receive, Scope, Send

from troth.audience.counting.counted_hit import SeenHit
from troth.audience.counting.hit import LONGEST, Hit, HitKind, HitRefused, parse
from troth.audience.counting.page_names import host
from troth.core.errors import TrothError
from troth.core.networks import network_of
from troth.core.same_site import same_site
from troth.front import origins
from troth.front.hits.counting import Counting
from troth.front.http.rate_limit import Buckets
from troth.front.origins import Whence
from troth.front.snapshot import Snapshot
from troth.front.views import choices

_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_BODY_SECONDS = 10.0
_BURST, _REFILL = 600, 0.2
"""Hits of one network at once, then one each so many seconds; a whole office may stand behind one address."""


class Refused(Exception):
    """An answer that is no 204: status and words."""

    def __init__(self, status: int, words: str, *more: tuple[bytes, bytes]) -> None:
        self.status, self.words, self.more = status, words, more


class Hits:
    """The page that counts."""

    def __init__(self, counting: Counting) -> None:
        self._counting, self._buckets = counting, Buckets(_BURST, _REFILL)
        self._views = set[asyncio.Task[None]]()

    async def answer(self, scope: Scope, receive: Receive, send: Send, snapshot: Snapshot) -> None:
        """Count, then answer."""
        try:
            await self._counting.count(await self._seen(scope, receive, snapshot))
        except Refused as refused:
            return await _say(send, snapshot, refused.status, refused.words.encode(), b"text/plain", *refused.more)
        except HitRefused as refused:
            return await _say(send, snapshot, 400, f"{refused}\n".encode(), b"text/plain")
        except TrothError as error:
            after = str(getattr(error, "retry_after", 5)).encode()
            return await _say(send, snapshot, 503, f"{error}\n".encode(), b"text/plain", (b"retry-after", after))
        if scope["method"] == "GET":
            await _say(send, snapshot, 200, _PIXEL, b"image/gif")
        else:
            await _say(send, snapshot, 204)

    async def _seen(self, scope: Scope, receive: Receive, snapshot: Snapshot) -> SeenHit:
        raw = await _raw(scope, receive)
        headers = scope["headers"]
        hit = parse(raw)
        if not hit.url:
            hit = replace(hit, url=dict(headers).get(b"referer", b"").decode("latin-1"))
        return self._told(hit, scope, snapshot)

    def view(self, scope: Scope, snapshot: Snapshot) -> SeenHit | None:
        """Return a request for a page as a view of it, to be counted by `count_view`; None if it cannot be counted."""
        headers, query = dict(scope["headers"]), scope["query_string"].decode("latin-1")
        if headers.get(b"sec-fetch-dest", b"document") != b"document":  # within a page of somebody else's
            return None
        referrer = headers.get(b"referer", b"").decode("latin-1")
        hit = Hit(HitKind.VIEW, url=f"?{query}" if query else "", referrer=referrer)
        try:
            return replace(self._told(hit, scope, snapshot), elsewhere=False)
        except Refused:
            return None

    def count_view(self, view: SeenHit, page: str, *, from_outside: bool) -> None:
        """Count a view of a page of ours, such as `/buy/plainbook`, without anybody waiting for it.

        `from_outside`: whether the page that led here may be where a visit began.
        """
        url = f"{self._counting.site_url}{page}{view.hit.url}"
        hit = replace(view.hit, url=url, referrer=view.hit.referrer if from_outside else "")
        task = asyncio.create_task(self._count_view(replace(view, hit=hit)))
        self._views.add(task)
        task.add_done_callback(self._views.discard)

    async def _count_view(self, view: SeenHit) -> None:
        with suppress(TrothError):  # nobody can send it again: it stays uncounted
            await self._counting.count(view)

    def _told(self, hit: Hit, scope: Scope, snapshot: Snapshot) -> SeenHit:
        """Return a hit with what its request tells of the visitor. Raises `Refused`."""
        headers = scope["headers"]
        values = {name: value for name, value in headers if name in _LOOKED_AT}
        address = snapshot.proxies.visitor((scope.get("client") or ("",))[0], headers)
        if address is None:
            raise Refused(400, "The hit has no client address.\n")
        if self._buckets.take(snapshot.proxies.bucket(address)):
            raise Refused(429, "Too many hits were sent from your network.\n", (b"retry-after", b"60"))
        return SeenHit(
            hit,
            network_of(address),
            values.get(b"user-agent", b"").decode("latin-1"),
            values.get(b"accept-language", b"").decode("latin-1"),
            snapshot.countries.of(str(address)) if snapshot.countries else "",
            elsewhere=_is_elsewhere(hit, origins.told(headers), snapshot),
            asked_not=hit.asked_not or any(choices.told(headers)),
            prefetched=any(mark in values.get(name, b"").lower() for name in _PREFETCH for mark in _AHEAD),
            proof=self._counting.is_of_proof(values.get(PROOF, b"")),
        )


def _is_elsewhere(hit: Hit, whence: Whence, snapshot: Snapshot) -> bool:
    """Return whether another site's page sends this for its visitor. A page that says no origin is believed, unless it
    would be of our own site and the browser says that it is not."""
    if hit.kind is HitKind.PRODUCT:  # a program, not a page
        return False
    if whence.origin not in {"", "null"}:
        return not whence.is_of(snapshot.own, snapshot.hosts)
    return whence.site == "cross-site" and same_site(snapshot.host, host(hit.url))


PROOF = b"troth-proof"
"""The header by which a proof's hits are told."""
_PREFETCH = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_AHEAD = (b"prefetch", b"prerender", b"preview")
"""What a browser says of a page that nobody looks at yet; `preview` is Safari's small picture of a page."""
_LOOKED_AT = frozenset((b"user-agent", b"accept-language", b"referer", PROOF, *_PREFETCH))


async def _raw(scope: Scope, receive: Receive) -> bytes:
    """The query of a pixel, or the body of a beacon."""
    if scope["method"] == "GET":
        query: bytes = scope["query_string"]
        return query
    if scope["method"] != "POST":
        raise Refused(405, "Send hits by GET or POST.\n", (b"allow", b"GET, POST"))
    data = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message: Message = await receive()
                data += message.get("body", b"")
                if message["type"] != "http.request" or len(data) > LONGEST or not message.get("more_body"):
                    break
    except TimeoutError:
        raise Refused(408, "The hit took too long to arrive.\n", (b"connection", b"close")) from None
    if message["type"] != "http.request":
        raise Refused(400, "The connection ended before the hit was complete.\n")
    if len(data) > LONGEST:
        raise Refused(413, f"A hit is at most {LONGEST} bytes.\n", (b"connection", b"close"))
    return bytes(data)


async def _say(
    send: Send, snapshot: Snapshot, status: int, body: bytes = b"", kind: bytes = b"", *more: tuple[bytes, bytes]
) -> None:
    about = [(b"content-type", kind), (b"content-length", b"%d" % len(body))] if body else []
    headers = [*about, *more, *snapshot.hit_headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
