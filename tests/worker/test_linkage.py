"""Two hits of one visitor cannot be paired by what lies on the disk: the small form of `trial.linkage`."""

import random

import numpy as np
import pytest

from trial import linkage


def test_the_area_is_that_of_every_pair_compared():
    draw = np.random.default_rng(0)
    scores, truth = draw.integers(0, 9, 300).astype(float), draw.integers(0, 2, 300).astype(float)
    yes, no = scores[truth == 1], scores[truth == 0]
    slowly = np.mean([(one > other) + (one == other) / 2 for one in yes for other in no])
    assert linkage.area(scores, truth) == pytest.approx(slowly)


@pytest.mark.timeout(180)
def test_sealed_frames_are_all_alike_and_what_is_opened_is_not():
    told = linkage.tried(40, 4, 1)
    assert len(told["sizes"]) == 1
    assert told["auc_sealed"] <= 0.65, "of 120 pairs; the trial itself, of 900, holds 0.55"
    assert told["auc_opened"] > 0.9, "the classifier does learn where there is something to learn"


def test_a_classifier_that_is_given_the_visitor_finds_it():
    draw = random.Random(2)
    seen = [linkage.Seen(number % 60, number, number / 10, 100 + number % 60, {}) for number in range(240)]
    assert linkage.judged(seen, lambda one, other: [float(one.size == other.size)], draw) > 0.99
    assert linkage.judged(seen, lambda one, other: [0.0], draw) == 0.5
