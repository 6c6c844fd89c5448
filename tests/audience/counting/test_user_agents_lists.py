"""Of the agents that are known to be programs nearly all are dropped; of browsers hardly any (must-show 4)."""

from bench import agents


def test_of_known_programs_99_in_100_are_dropped():
    listed = agents.programs()
    assert len(listed) >= 2_000
    assert agents.share(listed) >= agents.GOAL_PROGRAMS


def test_of_known_browsers_3_in_200_are_dropped_at_most():
    listed = agents.browsers()
    assert len(listed) >= 5_000
    assert agents.share(listed) <= agents.GOAL_BROWSERS
