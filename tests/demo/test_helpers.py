"""The demo's own programs end with it, also where it is stopped while they start."""

import os
import signal
import subprocess

import pytest

from troth.demo import helpers


class Stopped(BaseException):
    pass


def test_one_that_is_still_starting_is_ended_before_the_stop_goes_on(tmp_path, monkeypatch):
    (tmp_path / "silent.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    begun = []
    real = subprocess.Popen

    def noted(*arguments, **named):
        begun.append(real(*arguments, **named))
        return begun[-1]

    monkeypatch.setattr(helpers.subprocess, "Popen", noted)

    def stop(number, frame):
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(Stopped):
            helpers.Helper("silent", [], log=2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert begun[0].returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0].pid, 0)
