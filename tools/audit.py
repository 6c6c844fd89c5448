"""Looks for known vulnerabilities in what the locks name: Python's packages by pip-audit, npm's by `npm audit`.

    .venv/bin/python tools/audit.py

Exit code 1 where one is known. Where no database answered (no network, a mirror without one), it says so and goes on: a
build has to work there, too. Each question carries a package that is known to be vulnerable, so that a mirror which
answers and knows nothing is not taken for good news.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = ROOT / ".tools/audit/bin/pip-audit"
ACCEPTED: dict[str, str] = {}
"""Vulnerabilities that do not fail the build, by id, with the reason; for one that has no fix and does not reach us."""
_SECONDS = 60.0
"""For each of the two; asking about a hundred packages takes ten on a slow line."""
_PIP_KNOWN = ("paramiko", "2.4.0")  # CVE-2018-7750
_NPM_KNOWN = ("minimist", "0.0.8")  # CVE-2020-7598
_KNOWS_NOTHING = "what answered does not know a vulnerability that is known"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Unanswered(Exception):
    """No database answered; the text says why."""


@dataclass(slots=True)
class Findings:
    """What a database said of one kind of package."""

    checked: int = 0
    skipped: list[str] = field(default_factory=list)
    """Packages that the database does not know."""
    vulnerable: list[str] = field(default_factory=list)
    """A line for each vulnerability: package, version, id, where it is fixed."""


class _Vulnerability(msgspec.Struct, frozen=True):
    id: str
    fix_versions: list[str] = []
    aliases: list[str] = []


class _Package(msgspec.Struct, frozen=True):
    """As pip-audit reports one: `version` and `vulns`, or a reason why it was skipped."""

    name: str
    version: str = ""
    vulns: list[_Vulnerability] | None = None


class _PipReport(msgspec.Struct, frozen=True):
    dependencies: list[_Package]


class _Advisory(msgspec.Struct, frozen=True):
    url: str = ""
    title: str = ""
    range: str = ""


class _NpmPackage(msgspec.Struct, frozen=True):
    """As npm reports one. `via`: its own advisories, and the names of packages that make it vulnerable."""

    name: str
    via: list[_Advisory | str]
    nodes: list[str] = []


class _NpmReport(msgspec.Struct, frozen=True):
    vulnerabilities: dict[str, _NpmPackage]


def pip(locks: Iterable[Path], program: Path = PIP_AUDIT, seconds: float = _SECONDS) -> Findings:
    """What is known about the packages of these locks. Raises `Unanswered`."""
    findings = Findings()
    for pins in _rounds(locks):
        with tempfile.TemporaryDirectory() as folder:
            asked = Path(folder, "asked.txt")
            lines = [f"{name}=={version}" for name, version in [*pins.items(), _PIP_KNOWN]]
            asked.write_text("\n".join(lines) + "\n")
            options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json", f"--cache-dir={folder}"]
            answer = _run([str(program), *options, "-r", str(asked)], Path(folder), seconds)
        try:
            packages = msgspec.json.decode(answer, type=_PipReport).dependencies
        except msgspec.DecodeError as error:
            raise Unanswered(f"pip-audit's answer is no report: {error}") from None
        if all(one.vulns is None for one in packages):
            raise Unanswered(f"what answered knows none of {len(packages)} packages")
        if not any(one.vulns for one in packages):
            raise Unanswered(_KNOWS_NOTHING)
        _add_pip(findings, [one for one in packages if one.name != _PIP_KNOWN[0]])
    return findings


def _rounds(locks: Iterable[Path]) -> list[dict[str, str]]:
    """The pins of these locks, each name once in a round: pip-audit takes no package in two versions."""
    rounds: list[dict[str, str]] = [{}]
    for lock in locks:
        for name, version in _PIN.findall(lock.read_text()):
            if all(one.get(name) != version for one in rounds):
                free = next((one for one in rounds if name not in one), None)
                if free is None:
                    rounds.append(free := {})
                free[name] = version
    return rounds


def _add_pip(findings: Findings, packages: Sequence[_Package]) -> None:
    for package in packages:
        if package.vulns is None:
            findings.skipped.append(package.name)
            continue
        findings.checked += 1
        for one in package.vulns:
            if not {one.id, *one.aliases} & ACCEPTED.keys():
                fixed = ", ".join(one.fix_versions) or "no version yet"
                findings.vulnerable.append(f"{package.name} {package.version}: {one.id}, fixed in {fixed}")


def npm(lock: Path, program: str = "npm", seconds: float = _SECONDS) -> Findings:
    """What is known about the packages of this package-lock.json. Raises `Unanswered`."""
    tree = json.loads(lock.read_text())
    packages = tree["packages"]
    versions = {place: one.get("version", "") for place, one in packages.items() if place}
    name, version = _NPM_KNOWN
    packages[""].setdefault("dependencies", {})[name] = version
    packages[f"node_modules/{name}"] = {"version": version}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "package-lock.json").write_text(json.dumps(tree))
        Path(folder, "package.json").write_text(json.dumps(packages[""]))
        options = ["audit", "--json", "--package-lock-only", "--fetch-retries=1", "--no-update-notifier"]
        answer = _run([program, *options], Path(folder), seconds)
    try:
        reported = msgspec.json.decode(answer, type=_NpmReport).vulnerabilities
    except msgspec.DecodeError:
        raise Unanswered(_npm_reason(answer)) from None
    if not reported:
        raise Unanswered(_KNOWS_NOTHING)
    findings = Findings(checked=len(versions))
    for one in reported.values():
        if one.name != name:
            findings.vulnerable += _npm_lines(one, versions)
    return findings


def _npm_lines(package: _NpmPackage, versions: dict[str, str]) -> list[str]:
    """A line for each advisory about the package itself; what rests on it is not counted again."""
    version = ", ".join(sorted({versions.get(node, "?") for node in package.nodes})) or "?"
    advisories = [one for one in package.via if isinstance(one, _Advisory)]
    ids = [(one.url.rpartition("/")[2] or one.title, one.range) for one in advisories]
    return [f"{package.name} {version}: {id}, vulnerable {reach}" for id, reach in ids if id not in ACCEPTED]


def _npm_reason(answer: bytes) -> str:
    """What npm says instead of a report: an object with a message."""
    try:
        told = json.loads(answer)
        return str(told.get("message") or told["error"]["summary"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "npm's answer is no report"


def _run(command: list[str], folder: Path, seconds: float) -> bytes:
    """What it prints, whatever its exit code: both end with 1 on a vulnerability and on no answer. It has this long."""
    try:
        running = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unanswered(f"{Path(command[0]).name} cannot be started: {error.strerror}") from None
    try:
        answer, complaint = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise Unanswered(f"no answer in {seconds:.0f} s") from None
    if not answer.strip():
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        raise Unanswered(lines[-1][:200] if lines else f"{Path(command[0]).name} said nothing")
    return answer


def report(name: str, ask: Callable[[], Findings]) -> tuple[list[str], bool]:
    """The lines to print for one of the two, and whether a vulnerability is known."""
    try:
        findings = ask()
    except Unanswered as reason:
        return [f"{name}: no vulnerability database answered: nothing was checked ({reason})"], False
    lines = [f"{name}: KNOWN VULNERABILITY: {line}" for line in findings.vulnerable]
    if not lines:
        lines = [f"{name}: {findings.checked} packages checked, none with a known vulnerability"]
    if findings.skipped:
        names = ", ".join(findings.skipped)
        lines.append(f"{name}: {len(findings.skipped)} packages NOT checked, the database does not know them: {names}")
    return lines, bool(findings.vulnerable)


def main() -> int:
    """Ask both at the same time, print what they said. Returns an exit code."""
    locks = sorted((ROOT / "locks").glob("*.txt"))
    questions = {"pip": lambda: pip(locks), "npm": lambda: npm(ROOT / "assets/package-lock.json")}
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(report, questions, questions.values()))
    for lines, _ in answers:
        print("\n".join(lines))
    if any(vulnerable for _, vulnerable in answers):
        print("Update what is named (make locks; npm update in assets/), or accept it with a reason in tools/audit.py.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
