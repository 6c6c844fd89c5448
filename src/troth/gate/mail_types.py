"""Every type of mail there is, and so everything that can leave by mail (WALL 3, C3).

A type's fields are all that a mail of it may carry. One goes to a person and carries that person's own details and
nobody else's; one goes to an operator and carries nobody's. May touch: nothing; it turns values into text.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from troth.core import facts
from troth.core.personal import MessageText
from troth.gate.message import LetterError, Mail, check_link, one_line, origin

_NOT_YOU = f"If it was not you, do nothing. {facts.ONLY_CONFIRMED}"
_TWICE = "You may get this mail twice: the connection broke while it was being sent. Either copy works."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationMail(Mail):
    """The mail that asks one person whether they meant to sign up. Raises `LetterError` where a link is none.

    It has no field for anything that a visitor typed but the address it goes to: whoever signs up a victim cannot say a
    word to them (list bombing).
    """

    confirm_url: str
    form_title: str
    privacy_url: str
    unsubscribe_url: str

    def __post_init__(self) -> None:
        Mail.__post_init__(self)
        check_link(self.confirm_url, "the link to confirm")
        check_link(self.unsubscribe_url, "the link to leave")
        if self.privacy_url:
            check_link(self.privacy_url, "the privacy policy's address")
        if origin(self.confirm_url) != origin(self.unsubscribe_url):
            raise LetterError("A mail's links lead to two different sites.", mend="Mint both from `url` under [site].")

    def subject(self) -> str:
        return f"Please confirm: {one_line(self.form_title)} ({one_line(self.site_name)})"

    def headers(self) -> dict[str, str]:
        return {
            "List-Unsubscribe": f"<{self.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def text(self) -> str:
        title, site = one_line(self.form_title), one_line(self.site_name)
        return _lines(
            [
                f"Someone, most likely you, asked for this: {title}, by {site}.",
                f"If it was you, open this page and press the button there:\n\n{self.confirm_url}",
                _NOT_YOU,
                *([_TWICE] if self.maybe_twice else []),
                f"To leave, now or later, open this page:\n\n{self.unsubscribe_url}",
                *([f"What happens to what you give us:\n\n{self.privacy_url}"] if self.privacy_url else []),
            ],
            site,
        )

    def page(self) -> str:
        privacy = f" · {_link(self.privacy_url, 'What happens to what you give us')}" if self.privacy_url else ""
        return _sheet(
            f"{one_line(self.form_title)}, by {one_line(self.site_name)}",
            [
                _p("Someone, most likely you, asked for this. If it was you, please confirm:"),
                _button(self.confirm_url, "Go to the page that confirms"),
                _p(_NOT_YOU),
                *([_p(_TWICE)] if self.maybe_twice else []),
                _small(f"{_link(self.unsubscribe_url, 'Leave, now or later')}{privacy}"),
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMail(Mail):
    """What an operator answered to one person, and below it what that person had written.

    Sent because somebody wrote it, never by itself: an automatic reply that echoes text is an open relay.
    """

    answer: MessageText
    quoted: MessageText
    """The recipient's own words. They may hold anything: they are theirs."""
    written_at: datetime
    """When the recipient wrote them."""
    reply_to: str
    """Where a reply goes: an address of the vendor's."""
    about: str
    """Message-ID of the conversation, the same in each of its mails, so that mail programs keep them together."""

    OWN: ClassVar = Mail.OWN | {"quoted"}

    def subject(self) -> str:
        return f"Your message to {one_line(self.site_name)}"

    def headers(self) -> dict[str, str]:
        return {"Reply-To": self.reply_to, "References": self.about}

    def text(self) -> str:
        return _lines(
            [
                self.answer.reveal().strip(),
                *([_TWICE] if self.maybe_twice else []),
                f"On {self.written_at:%-d %B %Y} you wrote:\n\n{self._quote()}",
            ],
            one_line(self.site_name),
        )

    def _quote(self) -> str:
        return "\n".join(f"> {line}".rstrip() for line in self.quoted.reveal().split("\n"))

    def own_words(self) -> str:
        return f"{self.quoted.reveal()}\n\n{self._quote()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsMail(Mail):
    """The link by which one person sees, takes along or erases what is kept of them."""

    rights_url: str
    """With the key in its fragment, which no server ever sees."""
    hours: int
    ready: Sequence[MessageText]
    """What lies behind the link, for the leak index alone: none of it is in the mail."""
    typed: MessageText
    """Those parts of it that the recipient had typed: they may name anybody."""
    values: MessageText
    """Those parts of it that are somebody's details or words."""

    OWN: ClassVar = Mail.OWN | {"ready", "typed"}

    def __post_init__(self) -> None:
        Mail.__post_init__(self)
        check_link(self.rights_url, "the link to what is kept")

    def subject(self) -> str:
        return f"What {one_line(self.site_name)} keeps of you"

    def own_words(self) -> str:
        return self.typed.reveal()

    def beside(self) -> Sequence[MessageText]:
        return self.ready

    def text(self) -> str:
        return _lines(
            [
                f"Someone, most likely you, asked {one_line(self.site_name)} what it keeps of you.",
                "Behind this link you can see it, take it along, or have it erased:\n\n" + self.rights_url,
                f"It works for {self.hours} hours. Do not pass it on: whoever has it can do the same.",
                "If it was not you, do nothing: nothing changes by itself.",
                *([_TWICE] if self.maybe_twice else []),
            ],
            one_line(self.site_name),
        )

    def page(self) -> str:
        return _sheet(
            f"What {one_line(self.site_name)} keeps of you",
            [
                _p("Someone, most likely you, asked for this. Behind the link you can see it, take it along, or have "
                   "it erased."),
                _button(self.rights_url, "See what is kept"),
                _p(f"It works for {self.hours} hours. Do not pass it on: whoever has it can do the same."),
                _p("If it was not you, do nothing: nothing changes by itself."),
                *([_p(_TWICE)] if self.maybe_twice else []),
            ],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMail(Mail):
    """What is kept of one person, as text, for those whose browser runs no scripts."""

    export: MessageText
    """Readable, whole; made by `rights.services`."""
    typed: MessageText
    """Those parts of it that the recipient had typed: they may name anybody."""
    values: MessageText
    """Those parts of it that are somebody's details or words."""

    OWN: ClassVar = Mail.OWN | {"typed"}
    WORDED: ClassVar = frozenset({"export"})

    def subject(self) -> str:
        return f"What {one_line(self.site_name)} keeps of you, as you asked"

    def text(self) -> str:
        return _lines([self.export.reveal()], one_line(self.site_name))

    def own_words(self) -> str:
        return self.typed.reveal()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMail(Mail):
    """To an operator: something came. It tells how many and nothing of what or of whom."""

    count: int
    office_url: str

    def subject(self) -> str:
        return "You have a new message" if self.count == 1 else f"You have {self.count} new messages"

    def text(self) -> str:
        return _lines(
            [
                f"{self.subject()} in the office of {one_line(self.site_name)}.",
                f"Read and answer here:\n\n{self.office_url}",
                "This mail says no more than that on purpose: what people write stays in the office.",
            ],
            "Troth",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMail(Mail):
    """To an operator: something is wrong. `what` and `mend` are our own words, from a closed list."""

    what: str
    mend: str

    def subject(self) -> str:
        return f"{one_line(self.site_name)}: {one_line(self.what)}"

    def text(self) -> str:
        return _lines([self.what, self.mend], "Troth")


class Figure(StrEnum):
    """What a report's figures and lists are called."""

    VISITS = "Visits"
    VIEWS = "Pages shown"
    VISITORS = "Visitors, day by day"
    BOUNCES = "Visits of one page only"
    TIME = "Time on a visit"
    PAGES = "The most visited pages"
    SOURCES = "Where visitors came from"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of a report: what, how much, and how much in the period before. `what` is a `Figure`, or a name that
    several visitors brought."""

    what: str
    now: str
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMail(Mail):
    """To an operator: the statistics of a week or a month. Sums about nobody; no field could hold a person."""

    period: str
    """`16 to 22 November 2026`."""
    figures: Sequence[ReportLine]
    tops: Sequence[tuple[str, Sequence[ReportLine]]]
    """A title, and its lines: the most visited pages, where visitors came from."""
    office_url: str

    FIGURES: ClassVar = frozenset({"period", "figures", "tops"})

    def subject(self) -> str:
        return f"{one_line(self.site_name)}: visitors, {self.period}"

    def text(self) -> str:
        parts = [f"Visitors of {one_line(self.site_name)}, {self.period}", _columns(self.figures)]
        parts += [f"{title}\n\n{_columns(lines)}" for title, lines in self.tops if lines]
        return _lines([*parts, f"More is in the office:\n\n{self.office_url}"], "Troth")

    def page(self) -> str:
        tables = [_table("", self.figures), *(_table(title, lines) for title, lines in self.tops if lines)]
        heading = f"Visitors of {one_line(self.site_name)}"
        return _sheet(heading, [_p(self.period), *tables, _button(self.office_url, "Open the office")])


# -- how they look ----------------------------------------------------------------------------------------------------

_STYLE = (
    ":root{color-scheme:light dark}"
    "@media (prefers-color-scheme:dark){body,.sheet{background:#16191c!important;color:#e8eaed!important}"
    "a{color:#8fc7ff!important}.button{background:#e8eaed!important;color:#16191c!important}}"
)
_BUTTON = (
    "display:inline-block;padding:12px 20px;border-radius:8px;background:#1b1f23;color:#ffffff;"
    "font-weight:600;text-decoration:none"
)


def _lines(parts: list[str], sender: str) -> str:
    return "\n\n".join([*parts, f"-- \n{sender}"]) + "\n"


def _p(text: str) -> str:
    return f'<p style="margin:0 0 16px">{html.escape(text)}</p>'


def _small(markup: str) -> str:
    return f'<p style="margin:24px 0 0;font-size:14px">\n{markup}</p>'


def _link(url: str, words: str) -> str:
    return f'<a href="{html.escape(url)}" style="color:#0b57a4">{html.escape(words)}</a>'


def _button(url: str, words: str) -> str:
    link = f'<a class="button" href="{html.escape(url)}" style="{_BUTTON}">{html.escape(words)}</a>'
    return f'<p style="margin:0 0 24px">{link}</p>'


_NAME_WIDTH = 48


def _columns(lines: Sequence[ReportLine]) -> str:
    """Lines in columns, for a fixed-width face; a long name is cut."""
    names = [_cut(one_line(line.what)) for line in lines]
    wide, figures = max(map(len, names)), max(len(line.now) for line in lines)
    return "\n".join(
        f"  {name:<{wide}}  {line.now:>{figures}}  {line.beside}".rstrip()
        for name, line in zip(names, lines, strict=True)
    )


def _cut(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"


def _table(title: str, lines: Sequence[ReportLine]) -> str:
    head = f'<h2 style="font-size:17px;line-height:1.3;margin:24px 0 8px">{html.escape(title)}</h2>\n' if title else ""
    cell = "padding:6px 0;border-bottom:1px solid #888888;vertical-align:top"
    figure, beside = "padding-left:16px;text-align:right", any(line.beside for line in lines)
    rows = "\n".join(
        f'<tr><th scope="row" style="{cell};text-align:left;font-weight:400;overflow-wrap:anywhere">'
        f"{html.escape(one_line(line.what))}</th>"
        f'<td style="{cell};{figure};white-space:nowrap">{html.escape(line.now)}</td>'
        + (f'<td style="{cell};{figure}">{html.escape(line.beside)}</td></tr>' if beside else "</tr>")
        for line in lines
    )
    return f'{head}<table style="width:100%;border-collapse:collapse;margin:0 0 24px">\n{rows}\n</table>'


def _sheet(heading: str, parts: list[str]) -> str:
    body = "\n".join(parts)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="us-ascii"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{html.escape(heading)}</title><style>{_STYLE}</style></head>
<body style="margin:0;padding:24px;background:#ffffff;color:#1b1f23;font:17px/1.5 system-ui,sans-serif">
<div class="sheet" style="max-width:560px;margin:0 auto">
<h1 style="font-size:22px;line-height:1.3;margin:0 0 16px">{html.escape(heading)}</h1>
{body}
</div></body></html>
"""
