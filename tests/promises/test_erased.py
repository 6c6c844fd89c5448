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
from django.db import connection

from bench.site import CONSENT, running
from tests.conftest import _point_at, _sqlite, both
from tests.promises.people import ADDRESS, COMPANY, NAME, POSTAL, TELEPHONE, drain, signed_up
from tests.promises.test_erasing import ask_and_compose
from tests.promises.test_receipt_command import troth
from troth.ground import journal
from troth.ground.personal import EmailAddress, PersonName, Telephone
from troth.ground.purpose import Reason
from troth.promises.entry import ERASE, RightsUsed
from troth.vault.index import EMAIL
from troth.vault.index import NAME as BY_NAME
from troth.vault.index import TELEPHONE as BY_TELEPHONE
from troth.vault.keeper import keeper
from troth.vault.models import Person

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


@both
def test_not_a_byte_is_left_and_every_index_knows_nobody(site):
    person = signed_up(site)
    _, link = ask_and_compose(site)
    slot, key = person.slot, keeper().store.key(person.slot, person.id)
    everywhere = keeper().index.look_up_all(keeper().email_digest(EmailAddress(ADDRESS)), 5)
    assert everywhere == [slot]
    leaks = {keeper().marks.mark_of(value) for value in (ADDRESS, NAME.casefold())}
    assert keeper().marks.look_up(leaks) != {}
    assert any(keeper().marks.known_words({"oddsworth", "quill", "lantern", "lane"}))
    site.submit(RightsUsed(link, ERASE))
    drain()
    places = [site.root, *data_folder()]
    assert holding(*places) == []
    keys = [path for path in site.keys.rglob("*") if path.is_file()]
    assert [path.name for path in keys if key in path.read_bytes()] == []
    for kind, value in ((EMAIL, EmailAddress(ADDRESS)), (BY_NAME, PersonName(NAME)),
                        (BY_TELEPHONE, Telephone(TELEPHONE))):  # fmt: skip
        assert keeper().find_all("test", kind, value) == []
    index = keeper().index
    asked = [index.word_digest(PersonName(word)) for word in NAME.split()] + [index.domain_digest("example.com")]
    assert [index.look_up_all(digest, 5) for digest in asked if digest] == [[]] * len(asked)
    assert keeper().marks.look_up(leaks) == {}
    assert not any(keeper().marks.known_words({"wilma", "oddsworth", "quill", "lantern", "lane"}))
    assert not Person.objects.exists()
    assert index.is_suppressed(index.suppression_mark(EmailAddress(ADDRESS)))
    assert not index.is_suppressed(index.suppression_mark(EmailAddress("never.came@example.com")))


def test_an_old_backup_beside_todays_keys_tells_nothing(site, tmp_path):
    person = signed_up(site)
    keeper().tidy()
    old = tmp_path / "old-backup"
    shutil.copytree(site.data, old)
    _, link = ask_and_compose(site)
    site.submit(RightsUsed(link, ERASE))
    drain()
    assert holding(old) == []
    _point_at(_sqlite(old / "troth.sqlite3"))
    assert Person.objects.filter(id=person.id).exists()  # the copy still has the row, and nothing that opens it
    for kind in ("details", "pending"):
        opened = keeper().open_records(Reason.SHOW_PERSON, actor="test", person_ids=[person.id], kind=kind)
        assert opened == {}
    opened = keeper().open_records(Reason.SHOW_CONSENT, actor="test", person_ids=[person.id], kind="consent")
    assert opened == {}
    assert keeper().find("test", EmailAddress(ADDRESS)) is None
    assert keeper().forget_again() == 1 and not Person.objects.filter(id=person.id).exists()


def envelopes(spool: Path) -> list[bytes]:
    """Every frame's body that lies in the spool."""
    found = []
    for sequence in journal.segments(spool):
        data = (spool / journal.segment_name(sequence)).read_bytes()[journal.HEADER_SIZE :]
        items = journal.read(data, journal.HEADER_SIZE, sequence, closed=False)
        found += [item.body for item in items if isinstance(item, journal.Frame)]
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
        done = troth("people", "erase", ADDRESS, "--site", house.root, "--yes")
        assert done.returncode == 0 and "Contact details: 1" in done.stdout, done.stderr
        assert re.search(r"http://\S+/erasures/[0-9a-f-]{36}/$", done.stderr, re.MULTILINE)
        until(lambda: envelopes(house.root / "spool") == [], "the sealed envelope is gone", 8)
        assert troth("people", "find", ADDRESS, "--site", house.root).returncode == 1
        assert holding(house.root) == []
