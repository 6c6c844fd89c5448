"""What a mail says to everybody is nobody's detail, whatever name a stranger signs up under; all else is found."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html import unescape

import pytest

from tests.gate.relays import confirmation
from tests.gate.test_leak_check import BEA, DISGUISES, PUBLIC
from troth.contact.mails import AnswerMail
from troth.contact.notices import NoticeMail
from troth.core.config.sections import Config, ContactSection, MailSection, NewsletterSection, SiteSection
from troth.core.holdings import Part
from troth.core.personal import EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.core.purpose import Category
from troth.gate import common_words, message
from troth.gate.common_words import Public
from troth.gate.leak_check import Leaks
from troth.gate.mail_types import ReportFigure, ReportLine, ReportMail
from troth.gate.message import LetterError, Mail, recipient
from troth.operate.create_site import policy_text
from troth.rights import export_documents as exports
from troth.rights.mails import ExportMail, RightsMail
from troth.vault.leak_marks import Marks, fold, words_of
from troth.vault.records import Details

CONFIG = Config(
    site=SiteSection(name="Example Software", url="https://www.example.com/troth", contact="privacy@example.com"),
    newsletter=NewsletterSection(title="Release notes by mail", intro="About once a month, never more."),
    contact=ContactSection(title="Write to our people", reply_to="support@example.com"),
    mail=MailSection(sender="news@example.com", sender_name="The Example Team"),
)
AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
WRITTEN, ASKED, TOKEN = "qwv xqw vwq", "vqx wxv qxw", "A" * 116
"""What varies, in words that no type of mail has."""
SAVED = MessageText("Kind Regards from all of us\n\nCall +49 30 5550123, or come to 1 Harbour Road, 10115 Berlin.")


@pytest.fixture
def marks(tmp_path):
    for purpose in ("administration", "identification"):
        (tmp_path / f"index-{purpose}.key").write_bytes(sha256(purpose.encode()).digest())
    made = Marks(tmp_path)
    yield made
    made.close()


@pytest.fixture
def leaks(marks, tmp_path):
    (tmp_path / "policy.md").write_text(policy_text())
    return Leaks(marks, Public.of(CONFIG, tmp_path / "policy.md"))


def shared(**more):
    told = {"to": EmailAddress("ada@example.org"), "site_name": "Example Software"}
    return {**told, "message_id": "<0198f0a0-1111-7222-8333-123456789012@example.com>", **more}


def export():
    details = {"email": EmailAddress("ada@example.org"), "name": PersonName("Ada Lovelace")}
    parts = [
        Part("details", "Your contact details", (details,), frozenset(details)),
        Part("messages", "Messages", ({"at": AT, "we_answered": MessageText(WRITTEN)},)),
        Part("mails", "Emails that we sent you", ({"mail": "Confirmation", "sent": AT, "again": True},)),
    ]
    return exports.write(parts, site="Example Software", url=CONFIG.site.url, at=AT)


def report():
    lines = [
        ReportLine(ReportFigure.VISITS, "1,234", "+12% (1,100 before)"),
        ReportLine(ReportFigure.TIME, "2 min 05 s"),
    ]
    tops = [(ReportFigure.PAGES, [ReportLine("/qwv/xqw", "12")]), (ReportFigure.SOURCES, [])]
    told = shared(period="16 to 22 November 2026", office_url="http://localhost:8081/")
    return ReportMail(**told, figures=lines, tops=tops)


def every_mail(*, twice):
    """One of each type, and of each of its forms."""
    told = export()
    url = CONFIG.site.url
    for wording in (WRITTEN, WRITTEN + " é"):
        yield AnswerMail(
            **shared(maybe_twice=twice, said=(SAVED,), answer=MessageText(wording), quoted=MessageText(ASKED)),
            written_at=AT,
            reply_to="support@example.com",
            about="<0198f0a0-1111-7222-8333-000000000000@example.com>",
        )
    title = "Release notes by mail"
    yield confirmation("ada@example.org", form_title=title, maybe_twice=twice)
    yield confirmation("ada@example.org", form_title=title, maybe_twice=twice, privacy_url="")
    yield RightsMail(
        **shared(maybe_twice=twice, said=(told.said,)),
        rights_url=f"{url}/privacy/me/{TOKEN}#{'B' * 43}",
        hours=24,
        ready=told.documents,
        typed=told.typed,
        values=told.values,
    )
    mine = shared(maybe_twice=twice, said=(told.said,))
    yield ExportMail(**mine, export=told.text, typed=told.typed, values=told.values)
    yield NoticeMail(**shared(), count=1, office_url="http://localhost:8081/inbox/")
    yield NoticeMail(**shared(), count=3, office_url="http://localhost:8081/inbox/")
    yield report()


MAILS = [*every_mail(twice=False), *every_mail(twice=True)]
_VARIES = re.compile(r"a{20,}|b{20,}|0198f0a0|1111|7222|8333|[0-9]{12}|[qvwx]{3}|lovelace|ada|é")


def written(mail):
    sender = message.Sender(recipient("news@example.com"), "The Example Team")
    return message.write(mail, recipient(mail.to), sender, AT)


def readings(mail):
    """A mail as a program and as a person reads it: its bytes, its subject, its text, its page without tags."""
    yield written(mail).decode().replace("=\r\n", "")
    yield mail.subject()
    yield mail.text()
    page = mail.page() or ""
    yield page
    yield unescape(re.sub(r"<[^>]*>", " ", page))
    yield unescape(re.sub(r"<[^>]*>", "", page))
    for document in mail.beside():
        yield document.reveal()


def runs(text):
    """Every two to six neighbouring words that do not vary."""
    stretch = list[str]()
    for word in [*words_of(fold(text)), "qwv"]:
        if not _VARIES.search(word):
            stretch.append(word)
            continue
        for start in range(len(stretch)):
            yield from (" ".join(stretch[start:end]) for end in range(start + 2, min(start + 6, len(stretch)) + 1))
        stretch = []


def strangers(names):
    """Somebody of each of these names."""
    return {
        number: Details(EmailAddress(f"p{number}@example.net"), PersonName(name)) for number, name in enumerate(names)
    }


def look(leaks, mail):
    sender = message.Sender(recipient("news@example.com"), "The Example Team")

    def write(one):
        return message.write(one, recipient(mail.to), sender, AT)

    return leaks.found(mail, write(mail), write)


def test_nobody_holds_a_mail_by_bearing_words_of_its_type(marks, leaks):
    """All of them at once: each run of words of each mail is somebody's name, and no mail is held."""
    names = sorted({run for mail in MAILS for text in readings(mail) for run in runs(text)})
    assert len(names) > 2000 and {"press the button", "one click", "you wrote", "most likely you"} <= set(names)
    marks.put_many(strangers(names))
    held = {look(leaks, mail).others for mail in MAILS}
    assert {names[slot] for others in held for slot in others} == set()
    assert leaks.search(b"Do press the button.").others, "they are in the index"


@pytest.mark.parametrize("lines", [CONFIG.newsletter.intro, CONFIG.contact.title, SAVED.reveal(), policy_text()])
def test_nor_by_bearing_words_of_a_form_a_saved_reply_or_the_policy(marks, leaks, lines):
    names = sorted(set(runs(lines)))
    marks.put_many(strangers(names))
    assert look(leaks, answer_with(lines)).others == frozenset()


def answer_with(text, quoted="", **more):
    told = shared(answer=MessageText(text), quoted=MessageText(quoted), said=(SAVED,))
    return AnswerMail(
        **{**told, "written_at": AT, "reply_to": "support@example.com", "about": told["message_id"], **more}
    )


def test_nor_by_giving_the_vendors_own_address_number_or_street_as_theirs(marks, leaks):
    vendor = Details(
        EmailAddress("support@example.com"),
        PersonName("The Example Team"),
        Telephone("+49 30 5550123"),
        PostalAddress("1 Harbour Road\n10115 Berlin"),
    )
    marks.put({1: vendor, 2: Details(EmailAddress("privacy@example.com"), PersonName("Example Software"))})
    text = "Write to support@example.com or privacy@example.com, call 030 5550123, 1 Harbour Road, 10115 Berlin."
    assert look(leaks, answer_with(text)).clear


@pytest.mark.parametrize(
    "name", ["wrote Hello", "wrote Hello There", "Thanks On", "Thanks On 25", "7bit Many", "Bye Example"]
)
def test_nor_by_a_name_that_begins_in_what_varies_and_ends_in_what_does_not(marks, leaks, name):
    marks.put({1: Details(EmailAddress("p@example.net"), PersonName(name))})
    mail = answer_with("Many thanks", "Hello there, bye")
    assert look(leaks, mail).clear


# -- and no hole comes of it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disguise", [name for name, data in DISGUISES.items() if data.isascii()])
def test_a_detail_in_an_answer_is_found_in_every_disguise(marks, leaks, disguise):
    marks.put({2: BEA})
    assert look(leaks, answer_with(f"See {DISGUISES[disguise].decode()}")).others == {2}


@pytest.mark.parametrize("field", ["site_name", "form_title"])
@pytest.mark.parametrize("detail", ["Bea Byron-Schröder", "bea.byron@example.org", "+49 30 901820"])
def test_a_detail_in_the_place_of_a_setting_is_found(marks, leaks, field, detail):
    """What is exempt comes from the settings, not from the mail."""
    marks.put({2: BEA})
    assert look(leaks, confirmation("ada@example.org", **{field: detail})).others == {2}


def test_a_detail_in_a_link_is_found(marks, leaks):
    marks.put({2: BEA})
    url = f"{CONFIG.site.url}/confirm/{sha256(b'bea.byron@example.org').hexdigest()}"
    assert look(leaks, confirmation("ada@example.org", confirm_url=url)).others == {2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Mail):
    """A mail that brings a detail together from what varies and what does not."""

    local: str
    first: str = ""
    last: str = ""

    def subject(self) -> str:
        return "Hello"

    def text(self) -> str:
        return f"{self.local}@example.org +49 30 {self.local} {self.first} {self.last}"


def test_an_address_or_number_of_which_a_part_is_the_types_is_found(marks, leaks):
    marks.put({2: BEA})
    assert look(leaks, Split(**shared(), local="bea.byron")).categories == (Category.EMAIL,)
    assert look(leaks, Split(**shared(), local="901820")).categories == (Category.TELEPHONE,)


def test_a_name_put_together_from_two_fields_is_found(marks, leaks):
    marks.put({2: BEA})
    assert look(leaks, Split(**shared(), local="x", first="Bea", last="Byron-Schröder")).categories == (Category.NAME,)


def test_a_name_that_stands_in_a_template_too_is_found_in_full(marks, leaks):
    """Naming some words of somebody's does not let the rest by."""
    marks.put({3: Details(EmailAddress("e@example.net"), PersonName("Example Software Byron"))})
    assert look(leaks, answer_with("Ask Example Software Byron.")).others == {3}


def test_a_kind_of_value_of_which_nobody_has_thought_is_an_error(leaks):
    with pytest.raises(LetterError):
        common_words.copies(Split(**shared(), local=1.5), PUBLIC)


def test_an_export_says_to_everybody_only_what_is_nobodys():
    assert "Lovelace" not in export().said.reveal() and WRITTEN not in export().said.reveal()
    assert "we_answered" in export().said.reveal()


@pytest.mark.parametrize("mail", [mail for mail in MAILS if mail.page()], ids=lambda mail: type(mail).__name__)
def test_the_page_of_a_mail_says_what_its_text_says(mail):
    """The one is a template, the other a method of the type: who changes one of them is told of the other."""
    page, text = mail.page(), " ".join(mail.text().split())
    paragraphs = [part for part in re.findall(r"<p\b[^>]*>(.*?)</p>", page, re.DOTALL) if "<a " not in part]
    sentences = [" ".join(unescape(one).split()) for part in paragraphs for one in re.split(r"(?<=[.:]) ", part)]
    assert sentences and [sentence for sentence in sentences if sentence.rstrip(".:") not in text] == []
    linked = {unescape(link) for link in re.findall(r'href="([^"]+)"', page)}
    assert linked == set(re.findall(r"https?://\S+", text))
