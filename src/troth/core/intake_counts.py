"""What the worker counts as it takes in what came. The log knows these words and no others (C2). Touches nothing."""

from enum import StrEnum


class Count(StrEnum):
    """One kind of thing that was done with what visitors sent."""

    SIGNUPS = "signups"
    CONFIRMED = "confirmed"
    LEFT = "left"
    PREFERENCES = "preferences_changed"
    MESSAGES = "messages"
    RIGHTS_ASKED = "rights_asked"
    RIGHTS_WITHOUT_EFFECT = "rights_without_effect"
    EXPORTS_ASKED = "exports_asked"
    ERASURES_ASKED = "erasures_asked"
    LINKS_REFUSED = "links_refused"
    LINKS_WITHOUT_EFFECT = "links_without_effect"
    NOTICES = "card_company_events"
    NOTICES_REFUSED = "notices_refused"
    CHECKOUT_RETURNS = "checkout_returns"
    ERASED = "erased"
    REPLAYED = "replayed"
    """It had been filed before."""
    ASIDE = "aside"
    JUNK = "junk"
    """It could not be filed, and there was no room to keep it: a captured front makes more of it than there is."""
    FILED = "filed"
    """It had been set aside, and could be filed now."""
