"""Every figure: shown once, the same bytes each time, its units named, no text on another."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

from drawn import DRAW, LABELS, overlaps, svg, texts
from ser_lib import figures, style

pytestmark = pytest.mark.usefixtures("in_style")

everything = pytest.mark.parametrize("name", DRAW)


@everything
def test_a_figure_is_shown_once_and_fits_the_page(name):
    figure = DRAW[name]()
    svg(figure)
    assert plt.get_fignums() == []
    assert figure.get_size_inches()[0] <= style.PAGE
    assert to_rgba(figure.get_facecolor()) == (1, 1, 1, 1)


@everything
def test_a_figure_is_the_same_bytes_every_time(name):
    assert svg(DRAW[name]()) == svg(DRAW[name]())


@everything
def test_axes_are_labelled_with_units(name):
    assert LABELS[name] <= set(texts(DRAW[name]()))


@everything
def test_no_text_covers_another(name):
    assert overlaps(DRAW[name]()) == []


def test_the_check_for_covered_text_sees_one():
    figure = mpl.figure.Figure()
    figure.text(0.5, 0.5, "one")
    figure.text(0.505, 0.5, "another")
    assert overlaps(figure) == [("another", "one")]


def test_every_function_is_at_hand_and_tested():
    modules = (figures.inputs, figures.training, figures.scores, figures.printed)
    own = [
        key for module in modules for key, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__
    ]  # fmt: skip
    public = {key for key in own if not key.startswith("_")}
    assert public <= set(figures.__all__)
    assert public - {"frames_to_seconds", "seconds_to_frames"} == set(DRAW) == set(LABELS)
