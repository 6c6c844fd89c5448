"""`troth embed`: the newsletter form as HTML for the vendor's own page, made from the settings alone.

The same template that the front serves at `/newsletter?embed`. Reads nothing, writes nothing.
"""

from troth.front import embed
from troth.front.published import NewsletterForm, Published
from troth.ground.config import Config
from troth.ground.errors import TrothError


def newsletter(config: Config, back: str | None = None) -> str:
    """The form. `back`: where the visitor returns to, one of `back` under `[newsletter]`; by default the first."""
    if back is not None and back not in config.newsletter.back:
        raise TrothError(
            f"{back} is not one of the pages that the form may return to.",
            mend="Add it to `back` under [newsletter] in troth.toml.",
        )
    return embed.embed_html(_as_published(config), back)


def _as_published(config: Config) -> Published:
    form = config.newsletter
    return Published(
        generation=0,
        site_id=bytes(16),
        site_name=config.site.name,
        url=config.site.url,
        prefix=config.site.prefix,
        privacy_url=config.site.privacy_url,
        accent=config.site.accent,
        epoch=0,
        sealing_key=b"",  # the form has no use for a key
        link_keys={},
        form=NewsletterForm(
            title=form.title,
            intro=form.intro,
            consent=form.consent,
            fields=list(form.fields),
            required=list(form.required),
            back=list(form.back),
        ),
    )
