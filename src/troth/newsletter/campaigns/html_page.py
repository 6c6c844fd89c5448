"""A campaign's HTML part: its Markdown in one of the templates, styles inlined. Made once, not for each recipient.

Styles stand at each element, since many mail programs drop style sheets; one sheet stays, for dark colours and small
screens. Nothing is loaded from anywhere: css-inline is told to fetch no sheet, and images are this site's.
Reads: `newsletter/emails/campaign*`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.core.colours import readable
from troth.core.lazy import lazy
from troth.gate import email_html
from troth.newsletter.campaigns.markdown import is_button, parser

if TYPE_CHECKING:
    import css_inline
    from markdown_it import token as tokens_of
    from markdown_it.token import Token
else:
    css_inline, tokens_of = lazy("css_inline"), lazy("markdown_it.token")

TEMPLATES = ("plain", "newsletter", "announcement")
WIDEST_IMAGE = 536
"""Pixels of the page between the paddings of its card."""
FONT = "'Segoe UI', -apple-system, BlinkMacSystemFont, Roboto, Helvetica, Arial, sans-serif"
MONO = "Consolas, ui-monospace, Menlo, monospace"

PADDING = "\u00a0\u200c\u2007\ufeff\u034f" * 25
"""Follows the preheader, so that a mail program's list does not go on with the text of the email."""


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme's."""

    ground: str
    card: str
    code: str
    rule: str
    text: str
    quiet: str
    accent: str
    """Readable on ground and card."""
    on_accent: str


@dataclass(frozen=True, slots=True)
class OptionalLink:
    """The marks of a link that an email may lack."""

    begin: str
    url: str
    end: str


def themes(accent: str) -> tuple[Colours, Colours]:
    """Return the light and the dark colours for a vendor's `#rrggbb`."""
    light, dark = ("#f4f4f2", "#ffffff"), ("#16191c", "#1f2327")
    return (
        Colours(*light, "#eeeeea", "#d5d5d0", "#1b1f23", "#575d63", readable(accent, light, darker=True), light[1]),
        Colours(*dark, "#2b3036", "#454c54", "#e8eaed", "#adb4bb", readable(accent, dark, darker=False), dark[0]),
    )


def page(
    template: str, tokens: "list[Token]", *, accent: str, image_widths: Mapping[str, int], **values: object
) -> str:
    """Return the whole page. `values`: what the template shows; merge fields stay marks."""
    light, dark = themes(accent)
    sheet = email_html.render("newsletter/emails/campaign.css", light=light, font=FONT, mono=MONO)
    in_the_dark = email_html.render("newsletter/emails/campaign_dark.css", dark=dark, scope="")
    html = email_html.render(
        f"newsletter/emails/campaign_{template}.html",
        body=_body(tokens, image_widths),
        screens_css=_small(email_html.render("newsletter/emails/campaign_screens.css", dark_css=in_the_dark)),
        # Outlook.com marks what it darkens.
        outlook_css=_small(email_html.render("newsletter/emails/campaign_dark.css", dark=dark, scope="[data-ogsc] ")),
        padding=PADDING,
        **values,
    )
    return inline(html, _small(sheet))


def article(tokens: "list[Token]") -> str:
    """Return the text alone, without any style, for a page that has a heading and a style sheet of its own: headings
    are one level lower, and a column's alignment is its class, `right` or `center`."""
    writer = parser()
    for token in tokens:
        if token.tag in {"h1", "h2", "h3", "h4", "h5"}:
            token.tag = f"h{int(token.tag[1]) + 1}"
        alignment = str(token.attrs.pop("style", "")).removeprefix("text-align:")
        if alignment in {"right", "center"}:
            token.attrs["class"] = alignment
    return str(writer.renderer.render(tokens, writer.options, {}))


def inline(html: str, sheet: str) -> str:
    """Return a page with the rules of `sheet` at its elements. A sheet in the page that is marked `ignore` stays."""
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True, extra_css=sheet)
    return inliner.inline(html).replace('<style data-css-inline="ignore">', "<style>")


def _body(tokens: "list[Token]", image_widths: Mapping[str, int]) -> str:
    writer = parser()
    return str(writer.renderer.render(list(_dressed(tokens, image_widths)), writer.options, {}))


def _dressed(tokens: "list[Token]", image_widths: Mapping[str, int]) -> "Iterator[Token]":
    """Yield the tokens with what mail programs want beside them."""
    button = False
    for at, token in enumerate(tokens):
        if is_button(tokens, at):
            button = True
            yield _raw('<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0"><tr><td>')
        elif button and token.type == "paragraph_close":
            button = False
            yield _raw("</td></tr></table>\n")
        else:
            if token.type == "table_open":
                token.attrs = {"class": "cells", "cellpadding": "0", "cellspacing": "0", "border": "0"}
            for child in token.children or ():
                if child.type == "image" and (width := image_widths.get(str(child.attrs["src"]).rpartition("/")[2])):
                    child.attrs["width"] = str(min(width, WIDEST_IMAGE))  # Outlook knows no max-width
            yield token


def _raw(html: str) -> "Token":
    return tokens_of.Token("html_block", "", 0, content=html)


def _small(css: str) -> str:
    return "\n".join(line for line in css.split("\n") if line.strip())
