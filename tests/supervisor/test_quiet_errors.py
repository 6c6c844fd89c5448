"""What a library says, or a mistake of ours, is logged by kind and place: never in its own words (C2)."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.worker import served
from troth.core.config.load import load_config

SOURCE = Path(__file__).resolve().parents[2] / "src"
SOMEBODY = "ada@example.com"


def said(code: str) -> str:
    """What a process in which this code runs writes to its log."""
    start = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
    start += "from troth.supervisor import quiet_errors\nquiet_errors.take_over('office')\n"
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60, check=False)
    assert SOMEBODY not in done.stdout + done.stderr
    return done.stderr


def test_an_error_that_nobody_caught_is_told_by_its_kind():
    assert said(f"raise ValueError('{SOMEBODY}')") == "office: event=unhandled exception=ValueError at=<string>:4\n"


def test_of_errors_that_came_together_each_is_told():
    told = said(f"raise ExceptionGroup('{SOMEBODY}', [KeyError('{SOMEBODY}'), OSError('{SOMEBODY}')])")
    assert "exception=ExceptionGroup" in told and "exception=KeyError" in told and "exception=OSError" in told


def test_an_error_in_a_thread_or_where_nobody_looks_is_told_by_its_kind():
    assert "exception=KeyError" in said(
        f"import threading\ndef fall(): raise KeyError('{SOMEBODY}')\n"
        "thread = threading.Thread(target=fall, name='ada@example.com'); thread.start(); thread.join()"
    )
    assert "exception=OSError" in said(f"class Falls:\n    def __del__(self): raise OSError('{SOMEBODY}')\nFalls()\n")


def test_what_a_library_complains_about_is_told_by_its_name():
    told = said(
        f"import logging\ntry:\n    raise LookupError('{SOMEBODY}')\nexcept LookupError:\n"
        f"    logging.getLogger('django.request').error('Internal Server Error: /{SOMEBODY}', exc_info=True)\n"
    )
    assert "by=django.request" in told and "level=ERROR" in told and "exception=LookupError" in told


def test_our_own_sentences_are_said_in_full():
    told = said("import logging\nlogging.getLogger('troth.gate.tripwire').error('tripwire: %s tried', 'a/line.py:5')")
    assert told == "office: tripwire: a/line.py:5 tried\n"


def test_a_warning_in_python_quotes_nothing():
    assert SOMEBODY not in said(f"import warnings\nwarnings.warn('{SOMEBODY}')")


@pytest.mark.walls
def test_a_running_office_says_nothing_of_what_it_was_asked(tmp_path):
    site, front = served.make(tmp_path / "site")
    with served.serving(site, front):
        office = load_config(site.config).office.url.replace("localhost", "127.0.0.1")
        host = {"host": load_config(site.config).office.url.removeprefix("http://")}
        for path in (f"/people/{SOMEBODY}", f"/welcome/{SOMEBODY}", f"/?q={SOMEBODY}"):
            httpx.get(office + path, headers=host)
            httpx.get(office + path, headers={"host": SOMEBODY})
            httpx.post(office + path, headers=host, data={"email": SOMEBODY})
        told = served.log(site)
    assert "by=django" in told
    assert SOMEBODY not in told and "ada" not in told and "Traceback" not in told
