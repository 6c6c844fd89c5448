"""What is said about known vulnerabilities: nothing good of what was not looked at. Stand-ins give the answers."""

import json
import sys
import time

import pytest

from tools import audit

PIN = "flask==1.0 \\\n    --hash=sha256:00\nJinja2[x]==2.0 ; python_version < '4' \\\n    --hash=sha256:00\n"
LOCK = {
    "name": "x",
    "lockfileVersion": 3,
    "packages": {"": {"name": "x", "dependencies": {"a": "1.0.0"}}, "node_modules/a": {"version": "1.0.0"}},
}
KNOWN = {"name": "paramiko", "version": "2.4.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.4.1"], "aliases": []}]}
CLEAN = [{"name": name, "version": "1.0", "vulns": []} for name in ("flask", "jinja2")]
BAD = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-9", "fix_versions": ["2.1", "3.0"], "aliases": ["CVE-9"], "description": "bad"}],
}
SKIPPED = {"name": "flask", "skip_reason": "Dependency not found"}
ADVISORY = {"source": 1, "url": "https://github.com/advisories/GHSA-x", "title": "bad", "range": "<1.1.0"}
NPM_KNOWN = {"minimist": {"name": "minimist", "via": [ADVISORY], "nodes": ["node_modules/minimist"]}}
NPM_BAD = {
    "a": {"name": "a", "via": [ADVISORY, "minimist"], "nodes": ["node_modules/a"], "fixAvailable": True},
    "b": {"name": "b", "via": ["a"], "nodes": ["node_modules/b"]},
}


def lock_at(tmp_path):
    path = tmp_path / "package-lock.json"
    path.write_text(json.dumps(LOCK))
    return path


@pytest.fixture
def stand_in(tmp_path):
    """Makes a program that keeps what it was asked, prints this, and ends with this code."""

    def made(answer, code=0, body=""):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        program = tmp_path / "program"
        program.write_text(
            f"#!{sys.executable}\nimport pathlib, sys, time, shutil\n"
            f"kept = pathlib.Path({str(tmp_path)!r}, 'kept')\n"
            f"shutil.copytree('.', kept / str(len(list(kept.glob('*')))))\n{body}\n"
            f"sys.stdout.write({text!r})\nsys.stderr.write('first\\nHost is down')\nsys.exit({code})\n"
        )
        program.chmod(0o755)
        return program

    (tmp_path / "kept").mkdir()
    return made


@pytest.fixture
def pip(tmp_path, stand_in):
    """What is said of a lock, given pip-audit's answer."""

    def said(dependencies, code):
        (tmp_path / "run.txt").write_text(PIN)
        answer = {"dependencies": dependencies, "fixes": []} if isinstance(dependencies, list) else dependencies
        program = stand_in(answer, code)
        return audit.report("pip", lambda: audit.pip([tmp_path / "run.txt"], program, 30))

    return said


@pytest.fixture
def npm(tmp_path, stand_in):
    """What is said of a package-lock.json, given npm's answer."""

    def said(answer, code):
        program = str(stand_in(answer, code))
        return audit.report("npm", lambda: audit.npm(lock_at(tmp_path), program, 30))

    return said


def test_nothing_known_is_said_with_how_many_were_looked_at(pip, npm, tmp_path):
    assert pip([*CLEAN, KNOWN], 1) == (["pip: 2 packages checked, none with a known vulnerability"], False)
    asked = (tmp_path / "kept/0/asked.txt").read_text().split()
    assert asked == ["flask==1.0", "Jinja2==2.0", "paramiko==2.4.0"]
    assert npm({"vulnerabilities": NPM_KNOWN}, 1) == (
        ["npm: 1 packages checked, none with a known vulnerability"],
        False,
    )
    asked = json.loads((tmp_path / "kept/1/package-lock.json").read_text())["packages"]
    assert asked["node_modules/a"] == {"version": "1.0.0"}
    assert asked["node_modules/minimist"] == {"version": "0.0.8"}


def test_what_is_vulnerable_is_named_with_version_id_and_remedy(pip, npm):
    lines, vulnerable = pip([CLEAN[0], BAD, KNOWN], 1)
    assert (lines, vulnerable) == (["pip: KNOWN VULNERABILITY: jinja2 2.0: PYSEC-9, fixed in 2.1, 3.0"], True)
    lines, vulnerable = npm({"vulnerabilities": NPM_KNOWN | NPM_BAD}, 1)
    assert (lines, vulnerable) == (["npm: KNOWN VULNERABILITY: a 1.0.0: GHSA-x, vulnerable <1.1.0"], True)


def test_what_is_accepted_with_a_reason_is_not_held_against_it(pip, npm, monkeypatch):
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-9": "not reached", "GHSA-x": "not reached"})
    assert not pip([CLEAN[0], BAD, KNOWN], 1)[1]
    assert not npm({"vulnerabilities": NPM_KNOWN | NPM_BAD}, 1)[1]


def test_what_the_database_does_not_know_is_counted_as_not_checked(pip):
    lines, vulnerable = pip([SKIPPED, CLEAN[1], KNOWN], 1)
    assert lines[1] == "pip: 1 packages NOT checked, the database does not know them: flask"
    assert lines[0].startswith("pip: 1 packages checked")
    assert not vulnerable
    assert pip([SKIPPED, BAD, KNOWN], 1)[1]


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        ([SKIPPED, SKIPPED | {"name": "paramiko"}], 0, "knows none of 2 packages"),
        ([*CLEAN, KNOWN | {"vulns": []}], 0, "does not know a vulnerability that is known"),
        ([*CLEAN, SKIPPED | {"name": "paramiko"}], 0, "does not know a vulnerability that is known"),
        ([], 0, "knows none of 0"),
        ("", 1, "Host is down"),
        ("", 0, "Host is down"),
        ("<html>", 0, "no report"),
        ({"message": "gone"}, 0, "no report"),
    ],
)
def test_where_no_database_of_python_packages_answered_it_says_so(pip, answer, code, why):
    (line,), vulnerable = pip(answer, code)
    assert line.startswith("pip: no vulnerability database answered: nothing was checked (")
    assert why in line
    assert not vulnerable


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        ({"vulnerabilities": {}}, 0, "does not know a vulnerability that is known"),
        ({"message": "405 Method Not Allowed", "error": {"summary": ""}}, 1, "405 Method Not Allowed"),
        ({"error": {"summary": "ENOTFOUND"}}, 1, "ENOTFOUND"),
        ({}, 0, "no report"),
        ("[]", 0, "no report"),
        ("", 1, "Host is down"),
    ],
)
def test_where_no_database_of_npm_answered_it_says_so(npm, answer, code, why):
    (line,), vulnerable = npm(answer, code)
    assert line.startswith("npm: no vulnerability database answered: nothing was checked (")
    assert why in line
    assert not vulnerable


def test_who_never_answers_is_not_waited_for_nor_what_it_started(stand_in, tmp_path):
    body = f"import subprocess; subprocess.Popen(['sh', '-c', 'sleep 2; touch {tmp_path}/alive']); time.sleep(60)"
    program, start = stand_in("{}", body=body), time.monotonic()
    (line,), _ = audit.report("npm", lambda: audit.npm(lock_at(tmp_path), str(program), 1))
    assert "nothing was checked (no answer in 1 s)" in line
    assert time.monotonic() - start < 5
    time.sleep(2)
    assert not (tmp_path / "alive").exists()


def test_a_program_that_is_not_there_checked_nothing(tmp_path):
    (line,), vulnerable = audit.report("npm", lambda: audit.npm(lock_at(tmp_path), "/nowhere/npm", 3))
    assert "nothing was checked (npm cannot be started: No such file or directory)" in line
    assert not vulnerable


def test_two_versions_of_a_package_are_asked_about_one_after_the_other(stand_in, tmp_path):
    for name, version in (("a", "1.0"), ("b", "2.0"), ("c", "2.0")):
        (tmp_path / f"{name}.txt").write_text(f"flask=={version} \\\n    --hash=sha256:00\n")
    program = stand_in({"dependencies": [CLEAN[0], KNOWN]}, 1)
    assert audit.pip([tmp_path / f"{name}.txt" for name in "abc"], program, 30).checked == 2
    assert [(tmp_path / f"kept/{number}/asked.txt").read_text().split()[0] for number in (0, 1)] == [
        "flask==1.0",
        "flask==2.0",
    ]


@pytest.mark.parametrize(("vulnerable", "code"), [(True, 1), (False, 0)])
def test_only_a_known_vulnerability_fails_the_build(monkeypatch, capsys, vulnerable, code):
    found = audit.Findings(1, [], ["a 1.0: X, fixed in 2.0"] if vulnerable else [])
    monkeypatch.setattr(audit, "pip", lambda locks: found)

    def unanswered(lock):
        raise audit.Unanswered("gone")

    monkeypatch.setattr(audit, "npm", unanswered)
    assert audit.main() == code
    printed = capsys.readouterr().out
    assert "npm: no vulnerability database answered: nothing was checked (gone)" in printed
    assert ("KNOWN VULNERABILITY: a 1.0: X, fixed in 2.0" in printed) is vulnerable


def test_each_lock_and_the_installed_packages_are_asked_about():
    names = {path.name for path in (audit.ROOT / "locks").glob("*.txt")}
    assert names == {"run.txt", "demo.txt", "dev.txt", "build.txt", "audit.txt"}
    pins = [name for one in audit._rounds(sorted((audit.ROOT / "locks").glob("*.txt"))) for name in one]
    run, demo, dev = (set(audit._rounds([audit.ROOT / f"locks/{name}.txt"])[0]) for name in ("run", "demo", "dev"))
    assert run < demo < dev
    assert demo - run >= {"aiosmtpd", "dkimpy"}
    assert {"django", "pytest", "pip-audit", "uv-build", "dkimpy"} <= set(pins)
