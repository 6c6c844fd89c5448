"""On a terminal stored text is shown and steers nothing; in a pipe it stays as it is."""

import os
import subprocess
import sys

import pytest

from troth.core.text.terminal import shown

_SAYS = """\
import sys
from troth.cli.console import console
from troth.core.text import terminal
terminal.guard()
name = "Ada\\x1b[2J\\x9b8m\\x07 \\u202eecalevoL"
sys.stdout.write(name + "\\n")
sys.stderr.writelines([name + "\\n"])
console().print(name, style="bold", markup=False, highlight=False)
console(stderr=True).print("[red]x[/]" + name, highlight=False)
"""


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Zoë 日本\tline\n", "Zoë 日本\tline\n"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("one\rtwo\u2028three", "one\\rtwo\\u2028three"),
        ("\u2066\u202e", "\\u2066\\u202e"),
        ("عربي\u200f", "عربي\u200f"),
    ],
)
def test_what_steers_is_written_out(text, there):
    assert shown(text) == there


def _printed(output, reading) -> bytes:
    said = b""
    with subprocess.Popen([sys.executable, "-c", _SAYS], stdout=output, stderr=output) as process:
        os.close(output)
        while True:
            try:
                part = os.read(reading, 4096)
            except OSError:  # the terminal's other end is closed
                break
            if not part:
                break
            said += part
        assert process.wait() == 0, said
    os.close(reading)
    return said


def test_a_terminal_is_told_nothing_but_our_own_colours():
    reading, terminal = os.openpty()
    said = _printed(terminal, reading)
    assert said.count(b"Ada\\x1b[2J\\x9b8m\\x07 \\u202eecalevoL") == 4
    assert b"\x1b[2J" not in said and b"\x07" not in said and "\x9b".encode() not in said


def test_a_pipe_gets_what_is_stored():
    reading, writing = os.pipe()
    assert _printed(writing, reading).count("Ada\x1b[2J\x9b8m\x07".encode()) == 2
