"""What the statistics answer, asked in few words."""

from troth.audience.queries.queries import Answer, Query, answer


def asked(period, dim=None, *filters, **more) -> Answer:
    """The answer for a period, a dimension and filters; None among them is none."""
    return answer(Query(period, tuple(drill for drill in filters if drill), dim, **more))


def totals(period, *filters):
    """The totals."""
    return asked(period, None, *filters).totals


def series(period, *filters):
    """The points of the chart."""
    return list(asked(period, None, *filters, by_time=True).points)


def top(period, dim, *filters, **more):
    """The top names of a dimension."""
    return list(asked(period, dim, *filters, **more).rows)
