"""`troth embed`: a form, or what counts visits, as HTML for the vendor's own page, made from the settings alone.

A form is the same template that the front serves at `/newsletter?embed` and its like. Reads nothing, writes nothing.
"""

from html import escape

from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.front import snapshot
from troth.front.forms import embed
from troth.front.published import ContactForm, NewsletterForm, Published


def newsletter(config: Config, back: str | None = None) -> str:
    """Return the form. `back`: where visitors return to, one of `return_urls` under [newsletter]; by default the
    first."""
    return _form(config, "newsletter", back)


def contact(config: Config, back: str | None = None) -> str:
    """The same for the contact form. Raises `TrothError` where there is none."""
    if not config.contact.enabled:
        raise TrothError("There is no contact form.", mend="Turn it on: enabled = true under [contact] in troth.toml.")
    return _form(config, "contact", back)


_STATISTICS = """\
<!-- On every page, before </head>. On the page that says "not found", write data-missing into the tag. -->
<script defer src="{url}/t.js"></script>
<!-- For visitors without scripts, anywhere in the page: a picture of one pixel that can tell the page and no more. -->
<noscript><img src="{url}/hit?k=v" referrerpolicy="no-referrer-when-downgrade" alt="" width="1" height="1"></noscript>
"""


def statistics(config: Config) -> str:
    """The script, and the pixel, whose page the browser names. Raises `TrothError` where nothing is counted."""
    if not config.audience.enabled:
        raise TrothError("Nothing is counted here.", mend="Turn it on: enabled = true under [audience] in troth.toml.")
    return _STATISTICS.format(url=escape(config.site.url.rstrip("/")))


def _form(config: Config, name: str, back: str | None) -> str:
    published = _as_published(config)
    form = snapshot.forms(published)[name]
    if back is not None and back not in form.back:
        raise TrothError(
            f"{back} is not one of the pages that the form may return to.",
            mend=f"Add it to `return_urls` under {form.back_setting} in troth.toml.",
        )
    return embed.embed_html(published, form, back)


def _as_published(config: Config) -> Published:
    return Published(
        generation=0,
        site_id=bytes(16),
        site_name=config.site.name,
        url=config.site.url,
        prefix=config.site.prefix,
        privacy_url=config.site.policy_url,
        accent=config.site.accent,
        epoch=0,
        sealing_key=b"",  # the form has no use for a key
        link_keys={},
        form=NewsletterForm.of(config.newsletter),
        contact=ContactForm.of(config.contact),
    )
