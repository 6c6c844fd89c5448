"""What leaves carries nobody else's details: found in disguise, held before it is signed, told to the office only."""

import base64
import gzip
import io
import json
import time
import urllib.parse
import zipfile
import zlib
from dataclasses import fields
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import md5, sha1, sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.gate.relays import Handler, confirmation, relay, settings
from tests.worker.test_intake import drain, signup
from troth.contact.mails import AnswerMail
from troth.core.config.sections import Config, MailSection, SiteSection
from troth.core.holdings import Part
from troth.core.personal import EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.core.purpose import Category
from troth.gate import message, outbox
from troth.gate.common_words import Public
from troth.gate.leak_check import Leaks
from troth.gate.mailer import HeldMail, Post, Sent
from troth.gate.message import LetterError, recipient
from troth.gate.models import Delivery
from troth.gate.smtp import Parcel
from troth.newsletter.mails import ConfirmationMail
from troth.rights import export_documents as exports
from troth.vault.leak_marks import Marks
from troth.vault.records import Details
from troth.worker.composers import COMPOSERS

BEA = Details(
    EmailAddress("bea.byron@example.org"),
    PersonName("Bea Byron-Schröder"),
    Telephone("+49 (30) 901820"),
    PostalAddress("12 Main Street\n10115 Berlin\nGermany"),
)
ADA = Details(EmailAddress("ada@example.com"), PersonName("Ada Lovelace"))
E = b"bea.byron@example.org"
PUBLIC = Public.of(
    Config(
        site=SiteSection(name="Example Software", url="https://www.example.com/troth"),
        mail=MailSection(sender="news@example.com"),
    )
)


@pytest.fixture
def leaks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    for purpose in ("administration", "identification"):
        (folder / f"index-{purpose}.key").write_bytes(sha256(purpose.encode()).digest())
    marks = Marks(folder)
    marks.put({1: ADA, 2: BEA, 3: Details(EmailAddress("will@example.com"), PersonName("Will Fields"))})
    yield Leaks(marks, PUBLIC)
    marks.close()


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", data)
    return file.getvalue()


DISGUISES = {
    "plain": b"write to bea.byron@example.org.",
    "in angle brackets": b"<bea.byron@example.org>",
    "as a link": b'<a href="mailto:bea.byron@example.org?subject=x">',
    "in upper case": b"BEA.BYRON@EXAMPLE.ORG",
    "full width": "ｂｅａ．ｂｙｒｏｎ＠ｅｘａｍｐｌｅ．ｏｒｇ".encode(),
    "with a letter that is not seen": "bea.by\u200bron@example.org".encode(),
    "base64": b"token " + base64.b64encode(b"to: " + E),
    "base64, URL-safe and bare": base64.urlsafe_b64encode(b"??>>" + E).rstrip(b"="),
    "base64 in lines": base64.encodebytes(b"x" * 100 + b" " + E),
    "base64 twice": base64.b64encode(base64.b64encode(b"to: " + E)),
    "hex": E.hex().encode(),
    "hex with escapes": "".join(f"\\x{byte:02x}" for byte in E).encode(),
    "gzip": gzip.compress(E),
    "zlib": zlib.compress(E),
    "gzip in base64": base64.b64encode(gzip.compress(E)),
    "zip": zipped(E),
    "URL-encoded": urllib.parse.quote(E.replace(b"@", b"%40")).encode(),
    "URL-encoded once": b"?to=bea.byron%40example.org&x=1",
    "entities": b"bea.byron&#64;example&period;org",
    "tags": b"bea.<b>byron</b>@example.<i>org</i>",
    "a comment": b"bea.byron<!-- x -->@example.org",
    "soft line breaks": b"write to bea.by=\r\nron@exam=\r\nple.org",
    "quoted-printable": b"bea.byron=40example.org",
    "JSON escapes": b'"bea.byron\\u0040example.org"',
    "UTF-16": "bea.byron@example.org".encode("utf-16"),
    "sha256 in hex": sha256(E).hexdigest().encode(),
    "SHA256 in upper-case hex": sha256(E).hexdigest().upper().encode(),
    "sha1 in hex": sha1(E).hexdigest().encode(),
    "md5 in hex": b"https://www.gravatar.com/avatar/" + md5(E).hexdigest().encode(),
    "sha256 in base64": base64.b64encode(sha256(E).digest()),
    "md5 in base64": base64.b64encode(md5(E).digest()),
    "sha256 in a query": b"?em=" + sha256(E).hexdigest().encode() + b"&v=1",
    "telephone": b"call +49 30 901820",
    "telephone, other notation": b"call 0049-30-90 18 20 today",
    "telephone, brackets": b"+49 (0)30 / 901820",
    "sha256 of the telephone": sha256(b"+4930901820").hexdigest().encode(),
    "name": "Bea Byron-Schröder".encode(),
    "name, other case and no accents": b"BEA BYRON SCHRODER",
    "name over two lines": "bea\nbyron-schröder".encode(),
    "name with tags": b"<b>Bea</b> <i>Byron</i>-Schr&ouml;der",
    "address": b"12 Main Street, 10115 BERLIN - Germany",
}
ORDINARY = [
    b"",
    b"Dear Ada, thank you for your message. Bea is on holiday. We close at 18:00 on 2026-11-25.",
    b"bea.byron@example.com and byron@example.org and bea@example.org are other people",
    b"WILL_FIELDS = 3, NEW_WILL, FIELDS_MAX; will fields be added? The page will fields best.",
    b"10115 Berlin, 12 Main Street",
    b"0x00 1234567890 30901820 4930901820123 1.2.3.4 ISBN 978-3-16-148410-0",
    b"%%%% &&&& ==== <<<< >>>> \\u \\x =\n== &#; &#xffffffff; %zz \x1f\x8b\x08 PK",
    base64.b64encode(bytes(range(256)) * 8),
]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_somebody_elses_detail_is_found(leaks, disguise):
    finding = leaks.search(DISGUISES[disguise], own=[1])
    assert finding.others == {2} and not finding.unchecked


@pytest.mark.parametrize("disguise", DISGUISES)
def test_it_is_their_own_in_their_own_mail(leaks, disguise):
    assert leaks.search(DISGUISES[disguise], own=[2]).clear


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_let_by(leaks, text):
    assert leaks.search(text).clear


def test_two_english_words_are_a_name_where_they_are_written_as_one(leaks):
    assert leaks.search(b"from Will Fields").others == {3}
    assert leaks.search(b"WILL FIELDS").others == {3}


def test_pages_of_ordinary_text_are_let_by(leaks):
    for path in sorted(Path(io.__file__).parent.glob("*.py"))[:60]:
        assert leaks.search(path.read_bytes()).clear, path.name


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(gzip.compress(bytes(200_000_000), 9)),
        zlib.compress(bytes(60_000_000), 9),
        zipped(bytes(60_000_000)),
        b"PK\x03\x04 not a zip at all",
    ],
    ids=["gzip twice", "zlib", "zip", "broken zip"],
)
def test_what_cannot_be_looked_at_is_not_waved_through(leaks, bomb):
    assert leaks.search(bomb).unchecked


def test_wrapped_deeper_than_the_limit_is_not_waved_through(leaks):
    data = E
    for _ in range(20):
        data = gzip.compress(data)
    assert leaks.search(data).unchecked


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_any_bytes_can_be_looked_at(leaks, data):
    for mail in (False, True):
        assert leaks.search(data, mail=mail).others == frozenset()
        assert leaks.search(data + b"\n\n bea.byron@example.org ", mail=mail).others in (frozenset({2}), frozenset())


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.text(max_size=200))
def test_in_any_plain_text_an_address_is_found(leaks, before, after):
    assert 2 in leaks.search(f"{before} bea.byron@example.org {after}".encode("utf-8", "replace")).others


# -- provenance -------------------------------------------------------------------------------------------------------


def answer(text, quoted="", to="ada@example.com"):
    return AnswerMail(
        to=EmailAddress(to),
        site_name="Example Software",
        message_id="<0198f0a0-1111-7222-8333-123456789012@example.com>",
        answer=MessageText(text),
        quoted=MessageText(quoted),
        written_at=datetime(2026, 11, 25, tzinfo=UTC),
        reply_to="news@example.com",
        about="<0198f0a0-1111-7222-8333-000000000000@example.com>",
    )


def found(leaks, mail):
    at = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

    def write(one):
        return message.write(one, recipient(mail.to), message.Sender(recipient("news@example.com")), at)

    return leaks.found(mail, write(mail), write)


def test_what_the_recipient_typed_they_may_have_back(leaks):
    asked = "Do you know Bea Byron-Schröder, bea.byron@example.org?"
    assert found(leaks, answer("Yes, bea.byron@example.org is right.", asked)).clear
    assert found(leaks, answer("Yes.", asked)).clear


def test_what_they_did_not_type_they_may_not_have(leaks):
    finding = found(leaks, answer("Her number is +49 30 901820.", "Do you know bea.byron@example.org?"))
    assert finding.others == {2} and finding.categories == (Category.TELEPHONE,)


def test_the_vendors_own_details_are_no_leak(leaks):
    leaks._marks.put({4: Details(EmailAddress("news@example.com"), PersonName("Example Software"))})
    assert found(leaks, answer("Yours, Example Software")).clear


def test_the_name_of_two_people_is_the_recipients_own(leaks):
    leaks._marks.put({5: Details(EmailAddress("other@example.com"), PersonName("Ada Lovelace"))})
    assert found(leaks, answer("Dear Ada Lovelace")).clear


def test_an_export_is_looked_through_for_others(leaks):
    def check(*documents, typed=""):
        data, page = map(MessageText, documents)
        values = MessageText("\n".join(documents))
        return leaks.check_export(
            exports.ExportDocument(data, page, page, MessageText(typed), MessageText(""), values), 1
        )

    assert check('{"email": "ada@example.com"}', "<p>Ada Lovelace").clear
    assert check("{}", "<p>bea.byron@example.org").others == {2}
    assert check("{}", "<p>I know bea.byron@example.org", typed="I know bea.byron@example.org").clear


PROBES = {
    name: disguise.decode()
    for name, disguise in DISGUISES.items()
    if disguise.isascii() and b"\n" not in disguise and disguise.decode().isprintable()
}


@pytest.mark.parametrize("probe", PROBES)
def test_nobody_learns_from_their_own_words_in_disguise_whether_somebody_is_stored(leaks, probe):
    """Whoever types what only the leak index can read, and asks for it back, gets it back: else it is an oracle."""
    assert leaks.search(PROBES[probe].encode()).others == {2}
    assert found(leaks, answer("Thank you.", PROBES[probe])).clear
    assert own_export(leaks, PROBES[probe]).clear


def test_nor_from_what_an_export_itself_makes_of_their_words(leaks):
    """A line end becomes `\\n` in JSON, and its letter the first of a hash that they typed without it."""
    address = next(f"bea{n}@example.org" for n in range(1000) if digest_of(f"bea{n}@example.org").startswith("n"))
    leaks._marks.put({4: Details(EmailAddress(address))})
    words = "Hello\n" + digest_of(address)[1:]
    assert leaks.search(json.dumps(words).encode()).others == {4}
    assert own_export(leaks, words).clear


def digest_of(address):
    return base64.b64encode(sha256(address.encode()).digest()).decode().rstrip("=")


def own_export(leaks, words):
    """What is found in Ada's export, who wrote these words."""
    written = {"you_wrote": MessageText(words), "email": ADA.email}
    part = Part("messages", "Messages", (written,), frozenset({"you_wrote", "email"}))
    export = exports.write([part], site="Example", url="http://127.0.0.1", at=datetime(2026, 11, 25, tzinfo=UTC))
    return leaks.check_export(export, 1)


def test_what_was_typed_and_cannot_be_looked_through_is_held_whoever_is_stored(leaks):
    bomb = gzip.compress(bytes(40 << 20))
    for stored in (E, b"nobody@example.org"):
        words = base64.b64encode(gzip.compress(bomb + stored)).decode()
        assert found(leaks, answer("Thank you.", words)).unchecked


def test_the_export_of_the_wrong_person_is_held_whatever_they_typed(leaks):
    item = {"email": BEA.email, "name": BEA.name, "telephone": BEA.telephone, "postal_address": BEA.postal_address}
    written = {"you_wrote": MessageText("Hello"), "email": BEA.email}
    parts = [
        Part("details", "Your contact details", (item,), frozenset(item)),
        Part("messages", "Messages", (written,), frozenset(written)),
    ]
    export = exports.write(parts, site="Example", url="http://127.0.0.1", at=datetime(2026, 11, 25, tzinfo=UTC))
    assert leaks.check_export(export, 2).clear
    assert leaks.check_export(export, 1).categories == (Category.EMAIL,)


def test_an_attachment_is_looked_into(leaks):
    message = EmailMessage()
    message["Subject"] = "Hello"
    message.set_content("See the file.")
    message.add_attachment(gzip.compress(b"x," * 500 + E), maintype="application", subtype="gzip", filename="l.gz")
    assert leaks.search(message.as_bytes(), mail=True).others == {2}
    message.replace_header("Subject", "Bea Byron-Schröder")
    assert leaks.search(message.as_bytes(), mail=True).categories == (Category.EMAIL, Category.NAME)


# -- the mail door ----------------------------------------------------------------------------------------------------


async def test_a_mail_with_somebody_elses_address_does_not_leave(leaks):
    handler = Handler()
    with relay(handler) as port:
        async with Post(settings(port), leaks=leaks) as post:
            outcome = await post.send(answer("It was bea.byron@example.org."))
            assert outcome == HeldMail("leak", (Category.EMAIL,))
            assert handler.mails == [] and handler.sessions == 0
            assert await post.send(answer("It was somebody.")) == Sent()
            assert await post.send(confirmation()) == Sent()
            assert await post.send(answer("It was bea.byron@example.org."), released=True) == Sent()
    assert len(handler.mails) == 3


async def test_a_mail_that_cannot_be_looked_through_does_not_leave(leaks):
    handler, bomb = Handler(), base64.b64encode(gzip.compress(gzip.compress(bytes(90_000_000)))).decode()
    with relay(handler) as port:
        async with Post(settings(port), leaks=leaks) as post:
            assert await post.send(answer(bomb)) == HeldMail("unchecked")
    assert handler.mails == []


class Copied(ConfirmationMail):
    """A breach: a mail that somebody else gets, too."""

    def headers(self):
        return {"Bcc": "bea.byron@example.org"}


async def test_a_hidden_recipient_is_impossible(leaks):
    told = confirmation()
    copied = Copied(**{one.name: getattr(told, one.name) for one in fields(told)})
    with pytest.raises(LetterError):
        message.write(copied, recipient(copied.to), message.Sender(recipient("news@example.com")))
    handler = Handler()
    with relay(handler) as port:
        async with Post(settings(port), leaks=leaks) as post:
            assert (await post.send(copied)).reason == "bad-mail"
    assert handler.mails == []


def test_a_parcel_has_one_recipient_and_is_made_in_one_place():
    assert [one.name for one in fields(Parcel)] == ["sender", "recipient", "content", "utf8", "begin"]
    source = Path(message.__file__).parents[1]
    makers = [path.name for path in source.rglob("*.py") if "Parcel(" in path.read_text()]
    assert makers == ["mailer.py"]
    assert (source / "gate" / "mailer.py").read_text().count("Parcel(sender.envelope(), to.envelope(), content,") == 1


def test_the_worker_sends_nothing_without_looking():
    worker = Path(message.__file__).parents[1] / "worker" / "work.py"
    assert "leaks=mailer.leaks(config)" in worker.read_text()


# -- what becomes of it -----------------------------------------------------------------------------------------------


@pytest.fixture
def job(site):
    site.submit(signup("ada@example.com"))
    drain()
    (made,) = outbox.claim(10, COMPOSERS)
    return made


def test_a_held_mail_waits_with_its_reason(job):
    assert outbox.record(job, HeldMail("leak", (Category.EMAIL, Category.NAME))) == "held"
    row = Delivery.objects.get()
    assert (row.reason, row.tripped, row.next_at) == ("leak", "email name", None)
    assert outbox.claim(10, COMPOSERS) == []
    assert sum(outbox.counts().values()) == Delivery.objects.count()


def test_a_released_mail_leaves_unchecked_once(job):
    outbox.record(job, HeldMail("leak", (Category.EMAIL,)))
    assert outbox.let_go(job.delivery) and not outbox.let_go(job.delivery)
    (again,) = outbox.claim(10, COMPOSERS)
    assert again.released and again.mail.message_id == job.mail.message_id
    assert outbox.record(again, Sent()) == "sent"


def test_what_a_restore_held_is_still_looked_through(job):
    outbox.record(job, HeldMail("leak"))
    Delivery.objects.update(reason="restored")
    assert outbox.let_go(job.delivery)
    assert not outbox.claim(10, COMPOSERS)[0].released


def test_a_dropped_mail_never_leaves(job):
    outbox.record(job, HeldMail("leak"))
    assert outbox.drop(job.delivery) and not outbox.drop(job.delivery) and not outbox.let_go(job.delivery)
    assert Delivery.objects.get().state == "suppressed" and outbox.claim(10, COMPOSERS) == []


# -- how much work it is ----------------------------------------------------------------------------------------------

ORDINARY_TEXT = "Dear Ada, thank you for your message. We close at six, and it works since this morning. "
UNFINISHED = {
    "openings of comments": "<!--",
    "openings of tags": "<a ",
    "openings of both": "<!--<a ",
    "comments in comments": "<!-- <!-- -->",
    "tags in tags": "<<b>b>",
    "ends of comments": "-->",
    "encoded words": "=?",
    "encoded words that begin": "=?utf-8?q?",
    "percent signs": "%",
    "percent signs, encoded twice": "%2525",
    "encoded openings": "%3C!--",
    "entities that do not end": "&#",
    "entities of entities": "&amp;amp;",
    "entities of openings": "&lt;!--",
    "escapes": "\\u",
    "hex that parts": "aa ",
    "hex that does not": "0xaa",
    "base64 in lines": "QUJD" * 16 + "\n",
    "soft line breaks": "=\n",
    "equals signs and blanks": "=   ",
    "digits in groups": "01 02 03 ",
    "addresses": "a@b",
    "no address": "aaaa@",
    "names that are words": "will fields fields will ",
    "accents": "e\u0301\u0316",
}


def seconds(leaks, data):
    """Of processor time, the least of some tries."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        leaks.search(data)
        spent.append(time.process_time() - begun)
    return min(spent)


@pytest.mark.parametrize("what", UNFINISHED)
def test_no_text_takes_more_than_so_many_times_an_ordinary_one_of_its_length(leaks, what):
    """At two lengths: so the work grows with the length and not with its square."""
    for length in (8_000, 64_000):
        ordinary = (ORDINARY_TEXT * length)[:length].encode()
        odd = (UNFINISHED[what] * length)[:length].encode("utf-8", "ignore")
        assert seconds(leaks, odd) < 60 * seconds(leaks, ordinary), (what, length)


def test_a_number_of_a_letter_that_no_letter_has_is_looked_at_like_any_text(leaks):
    assert leaks.search(b"&#" + b"9" * 5000 + b"; bea.byron@example.org").others == {2}


def test_what_stands_around_a_long_comment_is_read_as_one(leaks):
    assert leaks.search(b"bea.byron<!--" + b"x" * 5000 + b"-->@example.org").others == {2}
    assert leaks.search(b"<!-- bea.by<!-- -->ron@example.org bea.byron@exam<b>ple.org</b>").others == {2}
