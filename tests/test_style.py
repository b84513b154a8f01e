"""Figures: fixed meanings, legible in both themes and in every kind of colour vision, the same bytes every time."""

import io
import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ser_lib import style
from ser_lib.corpora import NAMES
from ser_lib.corpora.table import EMOTIONS

BESIDE_EACH_OTHER = {
    "paper, ours and corpora": [style.PAPER, style.OURS, *style.CORPUS.values()],
    "emotions": list(style.EMOTION.values()),
}
# What a full loss of one cone does to linear RGB. Source: Machado, Oliveira & Fernandes 2009, severity 1.
VISION = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.fixture(autouse=True)
def settings():
    """Each test starts from, and leaves behind, the settings it found."""
    with mpl.rc_context():
        yield


def lab(colour, vision):
    """CIE L*a*b* (D65) of a colour, as somebody with that vision sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    seen = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    x, y, z = np.cbrt(np.maximum(np.asarray(to_xyz) @ seen / [0.95047, 1, 1.08883], 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_corpus_and_emotion_has_its_colour():
    assert set(style.CORPUS) == set(style.MARKER) == set(NAMES)
    assert list(style.EMOTION) == list(EMOTIONS)


def test_no_two_meanings_share_a_colour_or_a_marker():
    colours = list(itertools.chain(*BESIDE_EACH_OTHER.values()))
    assert len(set(colours)) == len(colours)
    assert len(set(style.MARKER.values())) == len(style.MARKER)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("group", BESIDE_EACH_OTHER)
def test_colours_of_one_figure_are_told_apart(group, vision):
    closest = min(
        np.linalg.norm(lab(one, vision) - lab(other, vision))
        for one, other in itertools.combinations(BESIDE_EACH_OTHER[group], 2)
    )
    assert closest > 20  # 2.3 is just noticeable


def test_a_confusable_pair_is_caught():
    red, green = "#CC3311", "#777700"
    assert np.linalg.norm(lab(red, "usual") - lab(green, "usual")) > 40
    assert np.linalg.norm(lab(red, "deuteranopia") - lab(green, "deuteranopia")) < 20


@pytest.mark.parametrize("colour", itertools.chain(*BESIDE_EACH_OTHER.values()))
def test_colours_stand_out_from_the_white_ground(colour):
    assert style.contrast(colour) >= 3


def test_contrast_of_known_pairs():
    assert style.contrast("black") == pytest.approx(21)
    assert style.contrast("white") == pytest.approx(1)
    assert style.contrast("#767676") == pytest.approx(4.54, abs=0.01)  # WCAG's own example of 4.5
    assert style.contrast("red", "blue") == style.contrast("blue", "red")


def drawing():
    style.use()
    figure = Figure(figsize=style.size(0.5, 2))
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0, 1, 0.5], marker="o", label="ours")
    axes.scatter([0, 1], [1, 0])
    axes.legend(title="α")
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata=style.METADATA)
    return file.getvalue()


def test_the_same_figure_is_the_same_bytes():
    assert drawing() == drawing()


def test_figures_need_no_font_of_the_reader_and_have_a_white_ground():
    text = drawing().decode()
    assert "<text" not in text
    assert "fill: #ffffff" in text


def test_use_does_not_depend_on_what_was_set_before():
    style.use()
    expected = dict(mpl.rcParams)
    mpl.rcParams["lines.linestyle"] = ":"
    style.use()
    assert dict(mpl.rcParams) == expected


def test_use_keeps_the_backend():
    before = mpl.get_backend()
    style.use()
    assert mpl.get_backend() == before


def test_sizes_fit_the_page():
    assert style.size() == (style.PAGE, 3.2)
    assert style.size(0.5, 2) == (style.PAGE / 2, 2.0)


@pytest.mark.parametrize("columns, height", [(0, 3), (1.1, 3), (1, 0), (1, -1), (float("nan"), 1), (1, float("nan"))])
def test_sizes_that_do_not_fit_are_refused(columns, height):
    with pytest.raises(ValueError, match="share of the page"):
        style.size(columns, height)
