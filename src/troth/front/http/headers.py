"""The headers that every answer carries. Touches nothing."""

from collections.abc import Iterable, Sequence

from starlette.types import Message, Send

NO_STORE = "no-store"
FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose name changes with their content."""
_SAME = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), "
        "geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
        "picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), "
        "xr-spatial-tracking=(), browsing-topics=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": NO_STORE,
}


def policy(form_origins: Iterable[str]) -> str:
    """Return the Content-Security-Policy. `form-action` governs where a form's redirect may lead, too."""
    targets = " ".join(["'self'", *form_origins])
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )


def all_of(form_origins: Iterable[str], *, strict_transport: bool) -> Sequence[tuple[bytes, bytes]]:
    """Return everything an answer carries unless it says otherwise itself."""
    fields = _SAME | {"content-security-policy": policy(form_origins)}
    if strict_transport:
        fields["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in fields.items()]


def added(send: Send, standing: Sequence[tuple[bytes, bytes]]) -> Send:
    """Return `send`, which puts `standing` on an answer wherever the answer itself has nothing under that name."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            message["headers"] = own + [pair for pair in standing if pair[0] not in names]
        await send(message)

    return send_with_headers
