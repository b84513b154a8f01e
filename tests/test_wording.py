"""Protects the words of numbers: what is shown is a score that exists."""

from ser_lib import wording


def test_an_interval_does_not_leave_the_scores_that_exist():
    assert wording.with_interval(0.9, 0.75, 1.05) == "90.0 [75.0, 100.0]"
    assert wording.with_interval(0.1, -0.05, 0.25) == "10.0 [0.0, 25.0]"
