"""Erased, a person cannot be told from one who never came, but by the stated mark (must-show 2).

Every byte of the database, its log and free pages, spool, `public/`, logs, `keys/`, and of an old copy of the data is
searched for their details, plain and in the ways by which people hide them; then every index is asked.
"""

import base64
import hashlib
import os
import re
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import httpx
from django.apps import apps
from django.db import connection

from bench.site import CONSENT, running
from bench.site import settings as written
from tests.conftest import _point_at, _sqlite, address_of_the_database, both
from tests.people.people import (
    ADDRESS,
    COMPANY,
    NAME,
    POSTAL,
    TELEPHONE,
    answered,
    drain,
    mailed_by_a_program,
    signed_up,
    signup,
)
from tests.rights.test_erasure import ask_and_compose
from tests.rights.test_receipt_command import troth
from troth.backup import create, recovery_key
from troth.backup.container import BackupReader
from troth.core import frames
from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone, each_detail
from troth.core.purpose import Purpose, Reason
from troth.gate.leak_check import Leaks
from troth.gate.models import Delivery
from troth.newsletter.models import DomainHour
from troth.people import queries
from troth.rights import services
from troth.rights.entry import ERASE, RightsAsked, RightsUsed
from troth.rights.models import HeldExport
from troth.vault import bulk_filing, row_counts
from troth.vault.blind_index import EMAIL
from troth.vault.blind_index import NAME as BY_NAME
from troth.vault.blind_index import TELEPHONE as BY_TELEPHONE
from troth.vault.keeper import keeper
from troth.vault.models import Person, Record
from troth.vault.records import KINDS, Details

WORDS = (ADDRESS, ADDRESS.upper(), NAME, *NAME.split(), "Oddsworth", TELEPHONE, "493090182099", *POSTAL.split("\n"),
         COMPANY, ADDRESS.partition("@")[0])  # fmt: skip


def forms(word: str) -> set[bytes]:
    """A word plain, in other encodings, and hashed as advertisers hash addresses (BetterHelp's case)."""
    found = {word.encode(), word.encode("utf-16-le"), word.encode().hex().encode(), quote(word).encode()}
    for text in {word, word.lower(), word.strip()}:
        plain = text.encode()
        for start in range(3):  # base64 of the word wherever it stands in a longer text
            whole = base64.b64encode(bytes(start) + plain)
            found.add(whole[(0, 2, 3)[start] : len(whole) - 4])
        for kind in ("md5", "sha1", "sha256"):
            digest = hashlib.new(kind, plain)
            found |= {digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode(),
                      base64.b64encode(digest.digest()).rstrip(b"=")}  # fmt: skip
    return {form for form in found if len(form) >= 6}


def holding(*places: Path) -> list[str]:
    """Every file in these places that has one of the details, in any form."""
    wanted = [form for word in WORDS for form in forms(word)]
    found = []
    for path in (path for place in places for path in [place, *place.rglob("*")] if path.is_file()):
        data = path.read_bytes()
        found += [f"{path.name}: {form[:24]!r}" for form in wanted if form in data]
    return found


def data_folder() -> list[Path]:
    """PostgreSQL's own folder, log and all; nothing for SQLite, whose file lies in the site."""
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SHOW data_directory")
        return [Path(cursor.fetchone()[0]).parent]


def test_the_search_would_find_each_form(tmp_path):
    for word in WORDS:
        for number, form in enumerate(forms(word)):
            path = tmp_path / f"{number}"
            path.write_bytes(b"before" + form + b"behind")
            assert holding(path), (word, form)
            path.unlink()


DETAILS = Details(
    EmailAddress(ADDRESS), PersonName(NAME), Telephone(TELEPHONE), PostalAddress(POSTAL), Company(COMPANY)
)
NEVER = Details(
    EmailAddress("never.came@elsewhere.example"),
    PersonName("Nathan Nevercame"),
    Telephone("+49 30 90182088"),
    PostalAddress("Nowhere Road 5\n10117 Berlin"),
    Company("Nevercame Ltd"),
)
"""Somebody of whom nothing was ever heard."""


def everything_of(site) -> Person:
    """A person with every detail, consent, a link to their record, a message, an answer, a mail and an export held."""
    person = signed_up(site)
    answered(site, ADDRESS, f"I am {NAME}, {TELEPHONE}.", f"Dear {NAME}, thank you.")
    mailed_by_a_program(ADDRESS)
    site.submit(signup(ADDRESS, "Wilma Changed"))  # waits for its confirmation
    drain()
    Delivery.objects.filter(person=person, kind="answer").update(state="held", tripped="email")
    HeldExport.objects.create(person=person, asked_by="shell", reason="leak", tripped="email name")
    return person


def keyed(details: Details) -> set[bytes]:
    """Every keyed hash that an index, the leak marks or a cap has of these details, as bytes on disk have them."""
    vault = keeper()
    found = set(vault.index.digests(details)) | {vault.domain_mark(details.email)}
    found |= {mark.to_bytes(8, signed=True) for mark in vault.marks.marks(details)}
    return found | {form.hex().encode() for form in found if len(form) == 16}


def answers_of(details: Details) -> dict[str, object]:
    """What whoever may ask anything of the site gets to hear of these details, but for the suppression mark."""
    index, marks = keeper().index, keeper().marks
    words = {word for value in (NAME, "nathan nevercame") for word in value.casefold().replace("-", " ").split()}
    export = b"\n".join(value.reveal().encode() for _, value in each_detail(details))
    return {
        "by whole details": [
            keeper().find_all("test", kind, value)
            for kind, value in ((EMAIL, details.email), (BY_NAME, details.name), (BY_TELEPHONE, details.telephone))
        ],
        "by words": [
            index.look_up_all(digest, 5)
            for word in details.name.reveal().split()
            if (digest := index.word_digest(PersonName(word)))
        ],
        "by domain": index.look_up_all(index.domain_digest(details.email.reveal()), 5),
        "marks": marks.look_up({mark & ~7 for mark in marks.marks(details)}),
        "words of marks": marks.known_words(words),
        "leak": Leaks(marks).search(export),
        "mails to the domain": DomainHour.objects.filter(domain=keeper().domain_mark(details.email)).count(),
        "console": queries.find("test", details.email.reveal()) + queries.find("test", details.name.reveal()),
        "file": bulk_filing.look(keeper(), [keeper().email_digest(details.email)]),
    }


def rows() -> dict[str, int]:
    """How many rows each table has, but for what may remain and names nobody: ledger, receipts, entries once seen."""
    row_counts.fold()
    kept = {"LedgerRow", "LedgerHead", "Erasure", "SeenEntry", "RightsRequest", "Position", "StoreMark"}
    return {one.__name__: one.objects.count() for one in apps.get_models() if one.__name__ not in kept}


@both
def test_not_a_byte_is_left_and_every_index_answers_as_for_one_who_never_came(site):
    signed_up(site, signup("other@other.example", "Otto Other"))
    before, never = rows(), answers_of(NEVER)
    person = everything_of(site)
    _, link = ask_and_compose(site)
    slot, key, hashes = person.slot, keeper().store.key(person.slot, person.id), keyed(DETAILS)
    assert keeper().index.look_up_all(keeper().email_digest(DETAILS.email), 5) == [slot]
    told = answers_of(DETAILS)
    assert [what for what in told if told[what] == never[what]] == [], "each question finds who is there"
    keeper().tidy()
    found = [form for form in hashes if any(form in path.read_bytes() for path in files(site.root))]
    assert len(found) > 20, "the search finds the hashes of who is there"
    site.submit(RightsUsed(link, ERASE))
    drain()
    places = [site.root, *data_folder()]
    assert holding(*places) == []
    assert [path.name for path in files(site.root) if key in path.read_bytes()] == []
    left = [path.name for path in files(site.root) for form in hashes if len(form) > 8 and form in path.read_bytes()]
    assert left == [], "plain, hashed, and hashed with the site's own keys"
    assert [path.name for path in files(site.people_keys) for form in hashes if form in path.read_bytes()] == []
    assert answers_of(DETAILS) == never
    assert rows() == before
    assert Person.objects.get().id != person.id
    index = keeper().index
    assert index.suppression_mark(DETAILS.email) in index.suppressed()
    assert index.suppression_mark(NEVER.email) not in index.suppressed()


@both
def test_whoever_comes_again_and_whoever_comes_first_are_taken_in_alike(site):
    """What the site does with a sign-up, a message and a question is the same, and so are the mails of it."""
    person = everything_of(site)
    services.ask_to_erase(person.id, "person")
    drain()

    def comes(details):
        Delivery.objects.all().delete()
        site.submit(RightsAsked(details.email))
        drain()
        asked = Delivery.objects.count()
        site.submit(signup(details.email.reveal(), "New Name"))
        drain()
        (mail,) = Delivery.objects.all()
        new = keeper().find("test", details.email)
        opened = keeper().open_records(Reason.SHOW_PERSON, actor="test", person_ids=[new])[new]
        return asked, mail.kind, mail.state, [one.name.reveal() for one in opened], len(services.parts(new, "test"))

    assert comes(DETAILS) == comes(NEVER)


def backup(site, folder: Path) -> list[Path]:
    """Both halves, as `troth backup` makes them."""
    url = address_of_the_database()
    site.config.write_text(written(18399, 18398, smtp=9, proof=False, database=url))
    folder.mkdir()
    return create.backup(site.root, folder).files


def files(place: Path) -> list[Path]:
    """Every file there."""
    return [path for path in place.rglob("*") if path.is_file()]


def test_an_old_copy_of_the_data_beside_todays_keys_tells_nothing(site, tmp_path):
    person = everything_of(site)
    keeper().tidy()
    old = tmp_path / "old-backup"
    shutil.copytree(site.data, old)
    _, link = ask_and_compose(site)
    site.submit(RightsUsed(link, ERASE))
    drain()
    assert holding(old) == []
    _point_at(_sqlite(old / "troth.sqlite3"))
    assert Person.objects.filter(id=person.id).exists()  # the copy still has the row, and nothing that opens it
    for kind, (_, purpose) in KINDS.items():
        reason = Reason.SHOW_PERSON if purpose is Purpose.ADMINISTRATION else Reason.SHOW_CONSENT
        assert Record.objects.filter(person=person, kind=kind).exists(), f"nothing of {kind} to try"
        assert keeper().open_records(reason, actor="test", person_ids=[person.id], kind=kind) == {}
    assert answers_of(DETAILS)["by whole details"] == [[], [], []]
    assert keeper().forget_again() == 1 and not Person.objects.filter(id=person.id).exists()


@both
def test_a_real_old_backup_opened_with_its_recovery_key_beside_todays_keys_tells_nothing(site, tmp_path):
    """Both halves as `troth backup` writes them: of the older data nothing opens, though every byte is laid open."""
    person = everything_of(site)
    key, paper = keeper().store.key(person.slot, person.id), recovery_key.replace(site)
    (older,) = [path for path in backup(site, tmp_path / "older") if path.name.startswith("data")]
    services.ask_to_erase(person.id, "person")
    drain()
    newer = backup(site, tmp_path / "newer")
    for path in (older, *newer):
        with BackupReader(path, paper) as reader:
            for name, parts in reader.members():
                target = tmp_path / "open" / path.parent.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(b"".join(parts))
    assert len(files(tmp_path / "open")) > 6
    assert holding(tmp_path / "open") == []
    boxes = [bytes(row.box) for row in Record.objects.all()]
    assert boxes == []
    assert [path.name for path in files(tmp_path / "open") if key in path.read_bytes()] == []


def envelopes(spool: Path) -> list[bytes]:
    """Every frame's body that lies in the spool."""
    found = []
    for sequence in frames.segments(spool):
        data = (spool / frames.segment_name(sequence)).read_bytes()[frames.HEADER_SIZE :]
        items = frames.read(data, frames.HEADER_SIZE, sequence, closed=False)
        found += [item.body for item in items if isinstance(item, frames.Frame)]
    return found


def until(true, what: str, seconds: float = 30.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_with_real_processes_the_sealed_envelope_goes_too_and_the_log_says_nothing():
    with running(proof=False) as house:
        # A clerk that starts again leaves its predecessor's last segment as it is: it must go, too.
        typed = {"email": ADDRESS, "name": NAME, "wording": hashlib.sha256(CONSENT.encode()).hexdigest()}
        url = f"http://127.0.0.1:{house.port}/newsletter"
        until(lambda: httpx.post(url, data=typed).status_code == 303, "the form is taken")
        assert len(envelopes(house.root / "spool")) == 1
        until(lambda: troth("people", "find", ADDRESS, "--site", house.root).returncode == 0, "it is filed")
        os.kill(house.supervisor.processes()["clerk"], signal.SIGKILL)
        time.sleep(1)
        house.supervisor._turn()
        done = troth("people", "delete", ADDRESS, "--site", house.root, "--yes")
        assert done.returncode == 0 and "Contact details: 1" in done.stdout, done.stderr
        assert re.search(r"http://\S+/deletion-log/[0-9a-f-]{36}/$", done.stderr, re.MULTILINE)
        until(lambda: envelopes(house.root / "spool") == [], "the sealed envelope is gone", 8)
        assert troth("people", "find", ADDRESS, "--site", house.root).returncode == 1
        assert (house.root / "troth.log").stat().st_size > 100, "there is a log to be searched"
        assert holding(house.root) == []
