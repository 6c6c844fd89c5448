"""The form for the vendor's own page: plain HTML that works without a script, and with ours shows errors in place. It
has no style and no class, so that it takes the page's own."""

from troth.front.forms.form import Form
from troth.front.forms.labels import described
from troth.front.http.render import render
from troth.front.published import Published


def embed_html(published: Published, form: Form, back: str | None = None) -> str:
    """Return HTML to paste into a vendor's page. `back`: where the visitor returns to, one of `form.back`; by default
    the first of them, or the front's own thanks page."""
    if back is not None and back not in form.back:
        raise ValueError(f"`back` must be one of the addresses in `return_urls` under {form.back_setting}")
    return render(
        "embed.html",
        published=published,
        form=form,
        back=back or (form.back[0] if form.back else ""),
        fields=described(form),
    )
