"""What a process says while something is done is heard whole, and goes nowhere else."""

import json
import subprocess
import sys

WORDS = """
import json, logging, os, sys
from troth.proofs.instruments.output_capture import OutputCapture
said = OutputCapture()
print("before")
with said.listening():
    print("by print")
    sys.stderr.write("by stderr\\n")
    os.write(1, b"by the descriptor\\n")
    logging.getLogger("some.library").debug("by the quietest record of a log")
    os.system("echo by a program")
print(json.dumps(said.text.splitlines()))
sys.exit(logging.getLogger().level == logging.DEBUG)
"""
MUCH = """
from troth.proofs.instruments.output_capture import OutputCapture
said = OutputCapture()
try:
    with said.listening():
        print("x" * 300_000)
        raise KeyError("a")
except KeyError:
    print(len(said.text))
"""


def ran(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)


def test_every_way_of_saying_something_is_heard():
    done = ran(WORDS)
    before, heard = done.stdout.splitlines()
    assert (before, done.stderr) == ("before", "")
    assert sorted(json.loads(heard)) == [
        "by a program",
        "by print",
        "by stderr",
        "by the descriptor",
        "by the quietest record of a log",
    ]


def test_much_is_heard_and_an_error_passes():
    assert ran(MUCH).stdout == "300001\n"
