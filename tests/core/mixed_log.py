"""A log as busy systems write it, invented: requests, JSON, tracebacks, tokens, queries, SQL, numbers of all kinds."""

import base64
import json
import random
import uuid
from urllib.parse import quote

from tests.core import number_traps as traps

_WORDS = "order refund invoice user session cache worker queue retry timeout payment product export import page".split()
_PATHS = ("/api/v1/orders", "/static/app.4f3a9c1e.js", "/search", "/download/editor-4.2.17.tar.gz", "/", "/konto/größe")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.59 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.1 Safari/605.1.15",
    "curl/8.14.1",
)


def _day(chance: random.Random) -> str:
    return f"{chance.randrange(1, 29):02d}"


def _clock(chance: random.Random) -> str:
    return f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:{chance.randrange(60):02d}"


def _address(chance: random.Random) -> str:
    return ".".join(str(chance.randrange(1, 255)) for _ in range(4))


def _request(chance: random.Random) -> str:
    query = quote(" ".join(chance.choices(_WORDS, k=3)) + f" & {chance.randrange(1000)}%", safe="")
    return (
        f"{_address(chance)} - - [{_day(chance)}/Nov/2026:{_clock(chance)} +0000] "
        f'"GET {chance.choice(_PATHS)}?q={query}&page={chance.randrange(90)} HTTP/1.1" {chance.choice((200, 404))} '
        f'{chance.randrange(90_000)} "https://www.example.com{chance.choice(_PATHS)}" "{chance.choice(_AGENTS)}"'
    )


def _record(chance: random.Random) -> str:
    return json.dumps(
        {
            "ts": round(1.79e9 + chance.random() * 1e6, 6),
            "level": "info",
            "event": " ".join(chance.choices(_WORDS, k=2)),
            "request": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "took": chance.random() * 3,
            "trace": f"{chance.getrandbits(128):032x}",
            "sizes": [chance.randrange(5000) for _ in range(3)],
            "path": "C:\\Users\\example\\größe.txt",
        }
    )


def _plain(chance: random.Random) -> str:
    return (
        f"2026-11-{_day(chance)} {_clock(chance)},{chance.randrange(1000):03d} {chance.randrange(100, 99_999)} INFO "
        f"worker.py:{chance.randrange(900)} {' '.join(chance.choices(_WORDS, k=6))} n={chance.randrange(10_000)} "
        f"bytes={chance.randrange(10**7)} rate={chance.random() * 100:.3f}"
    )


def _traceback(chance: random.Random) -> str:
    frames = "\n".join(
        f'  File "/srv/app/{word}.py", line {chance.randrange(900)}, in {word}\n    {word}({chance.randrange(9)})'
        for word in chance.choices(_WORDS, k=3)
    )
    return (
        f"Traceback (most recent call last):\n{frames}\nValueError: 0x{chance.getrandbits(48):012x} is no {_WORDS[0]}"
    )


def _token(chance: random.Random) -> str:
    claims = {"sub": f"{chance.getrandbits(64):x}", "iat": 1_790_000_000 + chance.randrange(10**6), "aud": "example"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    signature = base64.urlsafe_b64encode(chance.randbytes(64)).decode().rstrip("=")
    return f"debug: authorization=Bearer eyJhbGciOiJFZERTQSJ9.{body}.{signature}"


def _statement(chance: random.Random) -> str:
    return (
        f"UPDATE orders SET total = {chance.randrange(10**5)}, at = '2026-11-{_day(chance)} {_clock(chance)}.000000' "
        f"WHERE id = '{uuid.UUID(int=chance.getrandbits(128), version=4)}' -- {chance.randrange(10**9)} us"
    )


def _markup(chance: random.Random) -> str:
    return (
        f'<tr class="row"><td>{chance.randrange(10**4)}</td><td>&euro;&nbsp;{chance.random() * 500:.2f}</td>'
        f'<td style="width:{chance.randrange(300)}px">{chance.choice(_WORDS)} &amp; {chance.choice(_WORDS)}</td></tr>'
    )


def _trap(chance: random.Random) -> str:
    kinds = ("imei", "iban", "telephone", "order")
    separated = traps.iban(chance, " ")
    values = " ".join(f"{kind}={getattr(traps, kind)(chance)}" for kind in kinds)
    return (
        f"ns={chance.randrange(10**18, 2 * 10**18)} {values} iban={separated} ms={chance.randrange(10**12, 2 * 10**12)}"
    )


_KINDS = (_request, _request, _request, _request, _record, _record, _plain, _plain, _traceback, _token, _statement)
_KINDS += (_markup, _trap)


def made(size: int, seed: int = 17) -> str:
    """About `size` characters of it, without a card number."""
    chance = random.Random(seed)
    lines, length = list[str](), 0
    while length < size:
        lines.append(chance.choice(_KINDS)(chance))
        length += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"
