"""What several figures are drawn with: colours, marks, names, and words for what has not been run."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ser_lib import style, wording

GREY = "#767676"
"""What belongs to the drawing, not to the data: reference lines, outlines, arrows."""

WITHOUT = "#8A5A00"
"""Our runs without what the figure is about, beside `style.OURS` with it."""

METRICS = {"ua": "unweighted accuracy", "wa": "weighted accuracy"}
"""Column of a table of scores -> its name, in the order in which figures show them."""

PAPER_MARKER = "*"


def shades(count: int) -> list[tuple[float, ...]]:
    """Colours of an ordered quantity, dark to light; the lightest still stands out from white."""
    return [tuple(colour) for colour in mpl.colormaps[style.SEQUENTIAL](np.linspace(0, 0.7, count))]


def plain_ticks(axis: mpl.axis.Axis, ticks: Sequence[float]) -> None:
    axis.set_major_locator(mpl.ticker.FixedLocator(ticks))
    axis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(mpl.ticker.NullLocator())


def corpora_of(table: pd.DataFrame) -> list[str]:
    """The corpora that a figure shows: all of the pages, run or not, and the synthetic one where it is in the table."""
    return [*wording.CORPORA] + ["synthetic"] * ("synthetic" in set(table["corpus"]))


def say_not_run(axes: Axes, words: str) -> None:
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=GREY)
