"""Proofs of C1, C2 and C3: only basic details, for two purposes, shared with nobody. Each tries the running system.

May touch: the own front, the database through the keeper, every file of the site (reading), a throwaway process behind
the front's fence.
"""

import re
import secrets
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from troth.ground.promise import Verdict
from troth.ground.purpose import BASIC, Purpose, Reason
from troth.promises import datamap, searching
from troth.promises.canaries import texts
from troth.promises.scene import Scene
from troth.vault import ledger
from troth.vault.errors import RecordDamaged, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Record
from troth.vault.records import CONSENT, DETAILS
from troth.vault.revealing import forms

ACTOR = "proof"

# -- C1 ---------------------------------------------------------------------------------------------------------------


class _Inputs(HTMLParser):
    """The names of a page's form fields."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in {"input", "textarea", "select"} and told.get("name"):
            self.names.append(str(told["name"]))


_OURS = frozenset({"back", "wording", "altcha", "ticket", "website", "message"})
"""Fields of every form that are no contact detail: where to return, what was agreed to, what keeps robots out."""


def _form_fields(scene: Scene) -> dict[str, list[str]]:
    """The forms' paths, with the details that each is set to ask for."""
    found = {"/newsletter": [one.value for one in scene.config.newsletter.fields]}
    if scene.config.contact.enabled:
        found["/contact"] = [one.value for one in scene.config.contact.fields]
    return found


def forms_ask_what_is_set(scene: Scene) -> Verdict:
    """The forms as a visitor gets them ask for the details that the settings name, and for nothing else."""
    for path, wanted in _form_fields(scene).items():
        answer = scene.front.get(path)
        if answer.status != 200:
            return Verdict.unproven(f"The form at {path} answered {answer.status}.")
        page = _Inputs()
        page.feed(answer.text)
        extra = sorted(set(page.names) - set(wanted) - _OURS)
        lacking = sorted(set(wanted) - set(page.names))
        if extra or lacking:
            return Verdict.broken(f"The form at {path} asks for {', '.join(extra) or 'too little'}.")
    return Verdict.kept(f"{len(_form_fields(scene))} forms ask for what the settings name, and for nothing else.")


_STRANGERS = ("birthday", "gender", "iban", "passport", *(one.value for one in BASIC))


def other_fields_are_refused(scene: Scene) -> Verdict:
    """A field that was not asked for, or one that comes twice, is refused, and nothing of the form is kept."""
    for path, wanted in _form_fields(scene).items():
        base = [(name, "nobody@localhost") for name in wanted]
        name = secrets.choice([one for one in _STRANGERS if one not in wanted])
        for what, fields in ((f"a field called {name}", [*base, (name, "x")]), ("a field twice", [*base, base[0]])):
            answer = scene.front.post(path, fields)
            if answer.status == 429:
                return Verdict.unproven("The front takes no form from here just now: too many came.")
            if answer.status != 400:
                return Verdict.broken(f"The form at {path} took {what} ({answer.status}).")
    return Verdict.kept("Fields that no form asks for were refused, and so was a field that came twice.")


def everything_kept_is_declared(scene: Scene) -> Verdict:
    """Every field of an entry, every kind of record and every column that can hold text is in the data map."""
    missing = datamap.undeclared(scene.config)
    if missing:
        return Verdict.broken(f"Kept and not declared: {', '.join(missing)}.")
    return Verdict.kept(f"{len(datamap.kept(scene.config))} kinds of record, each declared with its purpose and end.")


# -- C2 ---------------------------------------------------------------------------------------------------------------


def another_purpose_opens_nothing(scene: Scene) -> Verdict:
    """A canary's details do not open for identification, nor its consent for administration: not by the keeper, and not
    by its key."""
    vault, who = keeper(), scene.canaries[0].person
    for reason, kind in ((Reason.SHOW_CONSENT, DETAILS), (Reason.SHOW_PERSON, CONSENT)):
        try:
            vault.open_records(reason, actor=ACTOR, person_ids=[who], kind=kind)
        except WrongPurpose:
            continue
        return Verdict.broken(f"The keeper opened {kind} for {reason.purpose.value}.")
    for row in Record.objects.filter(person=who).select_related("person"):
        key = vault.store.key(row.person.slot, row.person_id)
        other = next(purpose for purpose in Purpose if purpose.value != row.purpose)
        try:
            vault.boxer.open(key, other, row.person_id, row.kind, row.id, bytes(row.box))
        except RecordDamaged:
            continue
        return Verdict.broken(f"A box of {row.kind} opens for {other.value}.")
    return Verdict.kept("No record of a canary opens for the other purpose, by the keeper or by its own key.")


def every_opening_is_written(scene: Scene) -> Verdict:
    """Opening a canary adds a row to the ledger that names it, before anything is opened; the chain holds."""
    number, _ = ledger.head()
    who = scene.canaries[0].person
    keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who])
    row = LedgerRow.objects.filter(number__gt=number).order_by("number").first()
    use = ledger.read(row) if row else None
    if use is None or use.people != [who.bytes] or use.reason is not Reason.SHOW_PERSON:
        return Verdict.broken("A canary was opened, and the ledger does not say so.")
    if scene.light:
        return Verdict.kept("A canary was opened, and the ledger says so.")
    faults = ledger.verify_chain()
    if faults:
        return Verdict.broken(
            f"The ledger’s chain does not hold at {len(faults)} places, first at row {faults[0].number}."
        )
    return Verdict.kept(f"A canary was opened, the ledger says so, and its chain of {use and number + 1} rows holds.")


# -- C3 ---------------------------------------------------------------------------------------------------------------


def nothing_readable_lies_about(scene: Scene) -> Verdict:
    """No file of the site but the keys, no free page, no log, no backup carries a detail of a canary, in any form."""
    sought = forms(text for canary in scene.canaries for text in texts(canary))
    site = scene.site
    looked = searching.in_files(_paths(scene), site.root, sought)
    places = list(looked.places)
    size = looked.size
    if scene.config.database.url:
        rows = searching.in_postgresql(sought)
        places, size = [*places, *rows.places], size + rows.size
    if places:
        return Verdict.broken(f"A canary’s details can be read in {', '.join(places[:5])}.")
    searched = f"{looked.files} files and {size // 1024:,} KiB were searched"
    return Verdict.kept(f"{searched} for {len(sought)} forms of {len(scene.canaries)} canaries; none was found.")


def _paths(scene: Scene) -> Sequence[Path]:
    site = scene.site
    slots = site.people_keys / "slots"
    found = list(searching.files_of(site.root, but=[site.keys]))
    if not scene.light:
        found += [path for path in searching.files_of(site.people_keys, but=[slots])]
    backups = Path(scene.config.backup.folder) if scene.config.backup.folder else None
    if backups and backups.is_dir() and not scene.light and backups.is_relative_to(site.root):
        found += [path for path in searching.files_of(backups, but=[])]
    return found


_TRIES = """
import os, socket, sys
site = sys.argv[1]
def tried(name, call):
    try:
        call()
    except OSError:
        return
    print(name)
for place in ("keys", "data", "spool"):
    tried(f"list {place}/", lambda: os.listdir(f"{site}/{place}"))
for place in ("keys/people/slots", "keys/site-id", "data/troth.sqlite3", "troth.toml"):
    tried(f"read {place}", lambda: open(f"{site}/{place}", "rb").read(1))
for place in ("spool/x", "public/x", "data/x"):
    tried(f"write {place}", lambda: open(f"{site}/{place}", "wb"))
tried("make a TCP socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
tried("make a UDP socket", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
tried("make a UNIX socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
tried("signal its parent", lambda: os.kill(os.getppid(), 0))
print("tried")
"""


_BEHIND_THE_FENCE = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from troth.launch.inside import main
main(Path(sys.argv[1]), "front", [sys.executable, "-I", "-S", "-c", sys.argv[2], sys.argv[1]])
"""


def front_is_confined(scene: Scene) -> Verdict:
    """A process behind the front's fence tries to read what is stored, to write, and to reach anybody: all refused."""
    source = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-c", _BEHIND_THE_FENCE, str(scene.site.root), _TRIES, source],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={},
    )
    lines = done.stdout.split("\n")
    if "tried" not in lines:
        return Verdict.unproven("The trial behind the front’s fence did not run.")
    done_anyway = [line for line in lines if line and line != "tried"]
    if done_anyway:
        return Verdict.broken(f"Behind its fence the front could {', '.join(done_anyway)}.")
    return Verdict.kept("Behind the front’s fence nothing stored could be read, nothing written, nobody reached.")


def fences_are_up(scene: Scene) -> Verdict:
    """The kernel says of each process that serves just now that it is confined."""
    from troth.launch import watch

    told = watch.read(scene.site.data)
    if told is None or not told[1]:
        return Verdict.unproven("The supervisor has not said which processes there are.")
    loose = [one.name for one in told[1] if one.up and not _confined(one.pid)]
    if loose:
        return Verdict.broken(f"Without a fence: {', '.join(loose)}.")
    return Verdict.kept(f"{len(told[1])} processes are confined, says the kernel.")


def _confined(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True  # it ended since; its successor is looked at the next time
    return bool(
        re.search(r"^Seccomp:\s*2$", status, re.MULTILINE) and re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    )


def doors_are_those_of_the_policy(scene: Scene) -> Verdict:
    """Every destination that the code declares stands in the page that visitors read."""
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.unproven(f"The policy’s page answered {answer.status}.")
    missing = [who for who, _, _ in datamap.receivers(scene.config) if who not in answer.text]
    if missing:
        return Verdict.broken(f"{len(missing)} destinations are not named in the policy.")
    return Verdict.kept(f"All {len(datamap.receivers(scene.config))} who must carry something are named.")
