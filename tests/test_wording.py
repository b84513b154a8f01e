"""Protects the words of numbers: what is shown is a score that exists."""

import pytest

from ser_lib import wording


def test_an_interval_does_not_leave_the_scores_that_exist():
    assert wording.with_interval(0.9, 0.75, 1.05) == "90.0 [75.0, 100.0]"
    assert wording.with_interval(0.1, -0.05, 0.25) == "10.0 [0.0, 25.0]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.25, "+1.2"), (-0.3, "-0.3"), (0.03, "+0.03"), (-0.04, "-0.04"), (0.0, "+0.0"), (-1e-9, "+0.0"), (0.06, "+0.1")],
)
def test_a_difference_that_is_not_zero_shows_its_sign_and_one_that_is_nothing_shows_none_of_its_own(value, shown):
    assert wording.signed(value) == shown


def test_what_stands_for_a_missing_number_is_known_to_the_tables():
    assert {wording.unmeasured(corpus) for corpus in wording.CORPORA} < set(wording.ABSENT)
