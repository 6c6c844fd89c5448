"""The contact form: how somebody writes to the vendor. Touches nothing."""

from troth.contact.entry import ContactMessage
from troth.core.purpose import BASIC, Category
from troth.core.text.durations import days_span
from troth.front.forms.form import Form
from troth.front.published import Published

_LIMIT = 64_000
"""Bytes: the longest message in the widest letters with all details fits, and the vendor's web server lets it pass."""


def form(published: Published) -> Form | None:
    """Return the form as the operator set it; None where there is none."""
    set_to = published.contact
    if set_to is None:
        return None
    period = days_span(set_to.keep_days)
    return Form(
        name="contact",
        path="contact",
        title=set_to.title,
        intro=set_to.intro,
        fields=(*set_to.fields, Category.MESSAGE),
        required=frozenset({*set_to.required, Category.MESSAGE}),
        settable=frozenset(BASIC),
        entry=lambda values: ContactMessage(**values),
        why_address="we reply there",
        button="Send",
        note=f"We use this to reply to you, and delete the conversation {period} after the last message.",
        thanks="message",
        back=tuple(set_to.return_urls),
        back_setting="[contact]",
        limit=_LIMIT,
    )
