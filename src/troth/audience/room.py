"""What visitor statistics file, store and show (`core.rooms`)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings

from troth.audience import services
from troth.audience.counting.commit import Counted
from troth.audience.storage import rollup
from troth.core import clock
from troth.core.config.sections import Config
from troth.core.entry import Came
from troth.core.intake_counts import Count
from troth.core.rooms import MenuLink, Retained, Room
from troth.kit.roles import OWNERS


def _file(entries: Sequence[Came[Counted]]) -> Counter[Count]:
    return services.file_counts(entries, settings.TROTH_CONFIG.zone)


def _kept(config: Config) -> timedelta:
    """As many days as so many months have at most: some are longer than the mean, and nothing is late within them."""
    return timedelta(days=round(config.audience.keep_months * 365.25 / 12) + 2)


def _oldest() -> datetime | None:
    """The first day that a sum is of. A month stands for the days that are kept of it, and goes when they go."""
    oldest = rollup.oldest(settings.TROTH_CONFIG.zone)
    first = oldest.days or oldest.months
    return first and first.astimezone(UTC)


ROOM = Room(
    name="audience",
    files={Counted: _file},
    unfiled=services.forget,
    retention=(
        Retained(
            name="statistics",
            title="Visitor statistics: totals only",
            visitors="Visitor statistics: totals, not about individuals",
            anonymous=True,
            period=_kept,
            oldest=_oldest,
            sweep=lambda config: rollup.forget(clock.now(), config.zone, config.audience.keep_months),
            why="Set by `keep_months` under [audience]; by default, long enough to compare a month with two years "
            "before.",
        ),
    ),
    columns=frozenset(
        {
            # Names of what is counted, registers of a day that is not over, the operator's own pages, and which files
            # of figures were taken in. Never a row for a visitor, a visit or a hit (V1).
            "audience.Name.text",
            "audience.Registers.data",
            "audience.Sheet.data",
            "audience.OwnPage.path",
            "audience.Import.digest",
            "audience.Import.kind",
            # Words of the operators' own beside figures; tokens for programs, by their digest; which report went out.
            "audience.Annotation.text",
            "audience.ApiToken.digest",
            "audience.ApiToken.name",
            "audience.ApiToken.scope",
            "audience.ApiToken.used_on",
            "audience.Reported.every",
        }
    ),
    urls="troth.audience.console.urls",
    navigation=(
        MenuLink(
            place=10,
            url_name="statistics",
            label="Visitors",
            icon="visitors",
            also=("statistics_more", "statistics_out", "statistics_take_out"),
        ),
        MenuLink(place=100, url_name="api_tokens", label="API tokens", icon="token", roles=OWNERS),
    ),
)
