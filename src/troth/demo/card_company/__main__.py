"""Runs the stand-in: `python -m troth.demo.card_company --port 8706 [--state FILE] [--json]`."""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from troth.demo.card_company.account import new_id
from troth.demo.card_company.server import Server
from troth.demo.card_company.storage import Storage


class _Stopped(BaseException):
    """SIGTERM or SIGINT arrived."""


def _stop(number: int, frame: object) -> None:
    raise _Stopped


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m troth.demo.card_company", description="A test card company.")
    parser.add_argument("--port", type=int, required=True, metavar="PORT", help="0: any free port")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this file; without it, in none")
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    return parser.parse_args(argv)


def _prepared(state: Path, address: str) -> str:
    """Prepare the state; return the account's secret key."""
    storage = Storage(state)
    storage.prepare()
    storage.set("address", address)
    if not storage.setting("account"):
        storage.set("account", new_id("acct_1", 16))
        key = new_id("sk_test_", 40)
        storage.set("secret_key", key)
        storage.run("INSERT INTO keys VALUES (?, ?)", key, json.dumps(["*"]))
    key = storage.setting("secret_key")
    storage.close()
    return key


def _serve(port: int, state: Path, *, as_json: bool) -> None:
    with Server(port, state) as server:
        key = _prepared(state, server.address)
        clerk = server.start_clerk()
        try:
            facts = {"url": server.address, "secret_key": key}
            words = json.dumps(facts) if as_json else f"Test card company at {server.address}, secret key {key}"
            print(words, flush=True)  # noqa: T201
            server.serve_forever()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            server.end_children()
            os.kill(clerk, signal.SIGTERM)
            os.waitpid(clerk, 0)


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns an exit code."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    with contextlib.suppress(_Stopped), tempfile.TemporaryDirectory(prefix="card-company-") as folder:
        _serve(options.port, options.state or Path(folder) / "state.sqlite3", as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
