"""The front as an ASGI application: one generation for each request, a judged caller, few headers, strict answers. What
a view cannot see it cannot keep: address, query and most headers stop here, except for `/hit`, which counts by them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from troth.audience.counting.counted_hit import SeenHit
from troth.core.config.sections import PURCHASED
from troth.core.errors import TrothError
from troth.core.signed_links import Act
from troth.front import origins, published, responses
from troth.front.channels.clerk_client import ClerkGone
from troth.front.hits.counting import Counting
from troth.front.hits.endpoint import Hits
from troth.front.http import headers
from troth.front.http.form_parsing import FormRefused
from troth.front.http.log import LogEvent, tell
from troth.front.http.rate_limit import Buckets
from troth.front.request_context import ClerkPort, Visit, visit
from troth.front.snapshot import SCRIPT, Asset, Countries, Snapshot
from troth.front.views import (
    archive,
    choices,
    form_submission,
    licences,
    links,
    policy,
    preferences,
    rights,
    shop,
    statistics,
)
from troth.newsletter.published import STOP_TOPIC

_KEPT_HEADERS = frozenset(
    b"accept content-type content-length content-encoding transfer-encoding expect origin if-none-match"
    b" stripe-signature".split()
)
_MOST_CONNECTIONS = 800
_POLL_SECONDS = 1.0
_EMBED = Asset.of("embed", "js", "text/javascript; charset=utf-8", SCRIPT)


async def _thanks(request: Request) -> Response:
    context = visit(request)
    page = responses.thanks(context.snapshot, request.path_params["what"])
    return page or responses.error(request, context.snapshot, 404)


async def _thanks_masked(request: Request) -> Response:
    context, params = visit(request), request.path_params
    page = responses.thanks_masked(context.snapshot, params["what"], params.get("page"))
    return page or responses.error(request, context.snapshot, 404)


async def _asset(request: Request) -> Response:
    context = visit(request)
    asset = context.snapshot.assets.get(request.path_params["name"])
    if asset is None:
        return responses.error(request, context.snapshot, 404)
    return Response(asset.data, headers={"content-type": asset.kind, "cache-control": headers.FOR_EVER})


async def _embed(request: Request) -> Response:
    """The script for the vendor's page."""
    return responses.lasting(request, _EMBED)


async def _count(request: Request) -> Response:
    """The snippet that counts visits to the vendor's pages."""
    asset = visit(request).snapshot.count_script
    if asset is None:
        raise FormRefused(404, "Visits are not counted on this site.")
    return responses.lasting(request, asset)


async def _healthz(request: Request) -> Response:
    """Return `ok` and the generation in force, if submissions can be stored; and what `troth doctor` warns of."""
    context = visit(request)
    try:
        await context.line.ping()
    except ClerkGone:
        return PlainTextResponse(
            "the intake does not answer: nothing that is submitted can be stored\n", status_code=503
        )
    count = context.snapshot.proxies.without_address
    warning = f"requests without X-Forwarded-For: {count}\n" if count else ""
    return PlainTextResponse(f"ok {context.snapshot.published.generation}\n{warning}")


_ROUTES: list[BaseRoute] = [
    Route("/newsletter", form_submission.shown("newsletter"), methods=["GET"]),
    Route("/newsletter", form_submission.taken("newsletter"), methods=["POST"]),
    Route("/newsletter/archive", archive.index, methods=["GET"]),
    Route("/newsletter/archive/{slug}", archive.issue, methods=["GET"]),
    Route("/newsletter/feed.xml", archive.feed, methods=["GET"]),
    Route("/images/{name}", archive.image, methods=["GET"]),
    Route("/contact", form_submission.shown("contact"), methods=["GET"]),
    Route("/contact", form_submission.taken("contact"), methods=["POST"]),
    Route("/challenge", form_submission.challenge, methods=["GET"]),
    Route("/confirm/{link}", links.shown(Act.CONFIRM, "confirm.html"), methods=["GET"]),
    Route("/confirm/{link}", links.confirm, methods=["POST"]),
    Route("/unsubscribe/{link}", links.shown(Act.UNSUBSCRIBE, "unsubscribe.html"), methods=["GET"]),
    Route("/unsubscribe/{link}", links.unsubscribe, methods=["POST"]),
    Route("/preferences/{link}", preferences.show, methods=["GET"]),
    Route("/preferences/{link}", preferences.use, methods=["POST"]),
    Route("/preferences/{link}/saved/{topics}", preferences.saved, methods=["GET"]),
    Route(f"/preferences/{{link}}/{STOP_TOPIC}/{{number:int}}", preferences.topic, methods=["GET"]),
    Route(f"/preferences/{{link}}/{STOP_TOPIC}/{{number:int}}", preferences.stop, methods=["POST"]),
    Route("/buy/thanks/{checkout}", shop.thanks, methods=["GET"]),
    Route("/notices/{name}", shop.notice, methods=["POST"]),
    Route("/buy/{product}", shop.show, methods=["GET"]),
    Route("/buy/{product}/{edition}/{currency}", shop.go, methods=["GET"]),
    Route("/privacy/me", form_submission.shown("rights"), methods=["GET"]),
    Route("/privacy/me", form_submission.taken("rights"), methods=["POST"]),
    Route("/privacy/me/{link}", rights.show, methods=["GET"]),
    Route("/privacy/me/{link}", rights.use, methods=["POST"]),
    Route("/privacy/me/{link}/erase", rights.ask_once_more, methods=["GET"]),
    Route("/privacy/me/{link}/erased", rights.erased, methods=["GET"]),
    Route("/privacy/me/{link}/receipt.json", rights.receipt, methods=["GET"]),
    Route("/privacy/me/{link}/answer/{mark}", rights.answer, methods=["GET"]),
    Route("/privacy/keys", rights.keys, methods=["GET"]),
    Route("/thanks/{what}", _thanks, methods=["GET"]),
    Route("/thanks/{what}/masked", _thanks_masked, methods=["GET"]),
    Route("/thanks/{what}/masked/{page:int}", _thanks_masked, methods=["GET"]),
    Route("/privacy", policy.show, methods=["GET"]),
    Route("/privacy/versions", policy.versions, methods=["GET"]),
    Route("/privacy/versions/{number:int}", policy.version, methods=["GET"]),
    Route("/policy.css", policy.style, methods=["GET"]),
    Route("/.well-known/privacy-promises.json", policy.promises, methods=["GET"]),
    Route("/.well-known/privacy-promises.schema.json", policy.schema, methods=["GET"]),
    Route("/.well-known/gpc.json", policy.gpc, methods=["GET"]),
    Route("/.well-known/security.txt", policy.security, methods=["GET"]),
    Route("/licences/revoked.json", licences.revoked, methods=["GET"]),
    Route("/statistics", statistics.show, methods=["GET"]),
    Route("/assets/{name}", _asset, methods=["GET"]),
    Route("/embed.js", _embed, methods=["GET"]),
    Route("/t.js", _count, methods=["GET"]),
    Route("/privacy/choices", choices.show, methods=["GET"]),
    Route("/privacy/choices", choices.choose, methods=["POST"]),
    Route("/healthz", _healthz, methods=["GET"]),
]
_COUNTED = (shop.show, shop.go, shop.thanks)
"""Views whose pages are counted here, as they have no script."""
_FIRST_ERROR = 400
_ACROSS = frozenset({"/newsletter", "/contact", "/challenge"})
"""What a script on a listed page may read."""


class Front:
    """The application. `crowd` tells how many connections are open."""

    def __init__(
        self,
        public: Path,
        secrets: dict[str, str],
        line: ClerkPort,
        crowd: Callable[[], int] = lambda: 0,
        counting: Counting | None = None,
        countries: Countries | None = None,
    ) -> None:
        self._public, self._secrets, self._line, self._crowd = public, secrets, line, crowd
        self._counting, self._countries = counting, countries
        self._hits = Hits(counting) if counting else None
        self._seen: str | None = None
        self._snapshot: Snapshot | None = None
        self._buckets: Buckets | None = None

    async def follow(self) -> None:
        """Keep up with what the worker publishes; runs until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_POLL_SECONDS)

    def look(self) -> None:
        """Take up the generation in force, if it is a new one. One that cannot be read leaves the old in place."""
        name = published.current(self._public)
        if name is None or name == self._seen:
            return
        self._seen = name
        try:
            loaded = published.load(self._public)
            fresh = Snapshot(loaded, self._secrets, self._countries) if loaded else None
        except (TrothError, ValueError, OSError) as error:
            return tell(LogEvent.PUBLISHED_UNREADABLE, error=error)
        if fresh:
            self._buckets = fresh.buckets(self._snapshot, self._buckets)
            self._snapshot = fresh
            if self._counting:
                self._counting.follow(fresh)
            tell(LogEvent.PUBLISHED, generation=fresh.published.generation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        snapshot = self._snapshot
        standing = snapshot.headers if snapshot else headers.all_of((), strict_transport=False)
        started = False

        async def watched(message: dict[str, object]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if self._hits and snapshot and self._is_hit(scope, snapshot):
                return await self._hits.answer(scope, receive, watched, snapshot)  # type: ignore[arg-type]
            view = self._view_of_shop(scope, snapshot)
            answer = await self._answer(scope, receive, snapshot)
            if view and self._hits and answer.status_code < _FIRST_ERROR and scope.get("endpoint") in _COUNTED:
                is_thanks = scope["endpoint"] is shop.thanks  # its address has the checkout in it, and is not counted
                page = PURCHASED if is_thanks else scope["path"]
                self._hits.count_view(view, page, from_outside=not is_thanks)
            await answer(scope, receive, headers.added(watched, standing))  # type: ignore[arg-type]
        except Exception as error:
            tell(LogEvent.UNHANDLED, error=error)
            if started:
                raise RuntimeError from None  # uvicorn closes the connection; the log has the place
            failed = responses.error(None, snapshot, 500, *_OURS)
            await failed(scope, receive, headers.added(send, standing))

    def _is_hit(self, scope: Scope, snapshot: Snapshot) -> bool:
        counts = snapshot.published.audience is not None and self._crowd() <= _MOST_CONNECTIONS
        return counts and snapshot.rest(scope["path"]) == "/hit"

    def _view_of_shop(self, scope: Scope, snapshot: Snapshot | None) -> SeenHit | None:
        """Return the view of a page of the shop: they have no script that would count it. None for other pages."""
        if not (self._hits and snapshot and snapshot.published.audience and scope["method"] == "GET"):
            return None
        return self._hits.view(scope, snapshot) if snapshot.rest(scope["path"]).startswith("/buy/") else None

    async def _answer(self, scope: Scope, receive: Receive, snapshot: Snapshot | None) -> Response:
        if snapshot is None or self._buckets is None:
            return _unready(snapshot)
        caller = snapshot.proxies.judge((scope.get("client") or ("",))[0], scope["headers"])
        if caller.unnamed_proxy:
            tell(LogEvent.PROXY_NOT_NAMED)
        if self._crowd() > _MOST_CONNECTIONS:
            return _unready(snapshot)
        path: str = scope["path"]
        _strip(scope, snapshot)
        scope["troth"] = Visit(snapshot, caller, self._buckets, self._line, self._public)
        request = Request(scope, receive)
        route_path = scope["path"] = snapshot.rest(path)
        answer = await _route(request, snapshot, scope)
        if route_path in _ACROSS:
            _open_across(request, snapshot, answer)
        return answer


_OURS = (
    "An error on our side stopped this page. It was logged without your details.",
    "Please go back and try again in a minute.",
)


def _strip(scope: Scope, snapshot: Snapshot) -> None:
    """Take away what no view has a use for, so that none can keep it."""
    scope["troth_embed"] = scope["query_string"] == b"embed"
    scope["troth_choices"] = choices.told(scope["headers"])
    scope["troth_ours"] = origins.told(scope["headers"]).is_of(snapshot.own, snapshot.hosts)
    scope["query_string"], scope["raw_path"], scope["client"], scope["server"] = b"", b"", None, None
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] in _KEPT_HEADERS]


async def _route(request: Request, snapshot: Snapshot, scope: Scope) -> Response:
    allowed: set[str] = set()
    for route in _ROUTES:
        match, child_scope = route.matches(scope)
        if match is Match.FULL and isinstance(route, Route):
            scope.update(child_scope)
            return await _view(route, request, snapshot)
        if match is Match.PARTIAL and isinstance(route, Route):
            allowed |= route.methods or set()
    if not allowed:
        return responses.error(
            request, snapshot, 404, "There is no page at this address.", "Please check the address for typos."
        )
    answer = responses.error(request, snapshot, 405, "This page does not accept this kind of request.")
    answer.headers["allow"] = ", ".join(sorted(allowed))
    return answer


async def _view(route: Route, request: Request, snapshot: Snapshot) -> Response:
    try:
        answer: Response = await route.endpoint(request)
    except FormRefused as refused:
        message = str(refused)
        return responses.error(request, snapshot, refused.status, message, refused.mend, heading=refused.heading)
    return answer


def _unready(snapshot: Snapshot | None) -> Response:
    mend = "Please try again in a few seconds."
    answer = responses.error(None, snapshot, 503, "The site is starting up or very busy.", mend)
    answer.headers["retry-after"] = "5"
    answer.headers["connection"] = "close"
    return answer


def _open_across(request: Request, snapshot: Snapshot, answer: Response) -> None:
    """Let a script on a listed page read this answer (Fetch, CORS protocol). No credentials, no preflight needed."""
    origin = request.headers.get("origin", "")
    answer.headers["vary"] = "Accept, Origin"
    if origin in snapshot.origins:
        answer.headers["access-control-allow-origin"] = origin
        answer.headers["access-control-expose-headers"] = "Retry-After"
        answer.headers["cross-origin-resource-policy"] = "cross-origin"
