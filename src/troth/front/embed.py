"""The form for the vendor's own page: plain HTML that works without a script, and with ours shows errors in place.

It carries no style and no class: it takes the page's own. Touches nothing.
"""

from troth.front.published import Published
from troth.front.render import render
from troth.front.words import described, wording


def embed_html(published: Published, back: str | None = None) -> str:
    """HTML to paste into a page of the vendor's. `back`: where the visitor returns to, one of `published.form.back`;
    by default the first of them, and the front's own thanks page where there is none."""
    choices = published.form.back
    if back is not None and back not in choices:
        raise ValueError("`back` must be one of the addresses under `back` in [newsletter]")
    return render(
        "embed.html",
        published=published,
        back=back or (choices[0] if choices else ""),
        fields=described(published.form),
        wording=wording(published.form.consent),
    )
