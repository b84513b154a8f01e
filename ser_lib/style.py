"""The one style of every figure: sizes that fit the page, and colours that always mean the same thing."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.colors import to_rgb

PAPER = "#000000"
"""What the paper printed."""

OURS = "#0072B2"
"""What our runs give."""

CORPUS = {
    "iemocap": "#332288",
    "emodb": "#D55E00",
    "ravdess": "#CC79A7",
    "nemo": "#661100",
    "synthetic": "#555555",
}
"""Colour of each corpus; apart from each other, from `PAPER` and from `OURS` in every kind of colour vision."""

EMOTION = {
    "neutral": "#767676",
    "sadness": "#004488",
    "anger": "#B2182B",
    "happiness": "#BF8A00",
}
"""Colour of each emotion, in the order in which figures and tables show them."""

MARKER = {"iemocap": "o", "emodb": "s", "ravdess": "^", "nemo": "D", "synthetic": "v"}
"""Marker of each corpus, so that a colour is never the only sign."""

PAGE = 7.2
"""Width of the book's text column in inches, at the scale at which 9 pt in a figure looks like the text around it."""

SEQUENTIAL = "viridis"
"""Colour map of quantities: spectrograms, shares in a confusion matrix."""

RC = {
    "figure.figsize": (PAGE, 3.2),
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.prop_cycle": mpl.cycler(color=[OURS, *CORPUS.values()]),
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "font.family": "DejaVu Sans",  # travels with matplotlib, so it is the same everywhere
    "font.size": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
    "image.cmap": SEQUENTIAL,
    "image.origin": "lower",
    "image.aspect": "auto",
    "image.interpolation": "nearest",
    # The same figure is the same bytes: ids from a fixed salt, glyphs drawn as outlines.
    "svg.hashsalt": "ser_lib",
    "svg.fonttype": "path",
}

METADATA = {"Date": None}
"""Metadata for `savefig`: without the date, which would make every file differ from the last."""


def use() -> None:
    """Draw every figure from here on in the style of the book; in a notebook, show figures as SVG.

    All other settings go back to matplotlib's defaults (but for the backend), so that no figure depends on what was
    set before it, or on a settings file of the reader's.
    """
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    if _in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata=METADATA)


def size(columns: float = 1.0, height: float = 3.2) -> tuple[float, float]:
    """Size of a figure that takes a share of the page's width.

    Args:
        columns: share of the text column, above 0 and at most 1.
        height: height in inches, above 0.

    Returns:
        Width and height in inches, as matplotlib's ``figsize`` takes them.

    Raises:
        ValueError: if a figure of that size would not fit the page.
    """
    if not 0 < columns <= 1 or not height > 0:
        raise ValueError(f"a figure takes a share of the page in (0, 1] and a height above 0, not {columns}, {height}")
    return PAGE * columns, float(height)


def luminance(colour: str | Sequence[float]) -> float:
    """Relative luminance of a colour, 0 (black) to 1 (white). Source: WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str | Sequence[float], other: str | Sequence[float] = "white") -> float:
    """Contrast ratio of two colours, 1 (the same) to 21; drawings need 3, small text 4.5. Source: WCAG 2.2.

    Args:
        one: a colour, as matplotlib takes it.
        other: the colour behind it.

    Returns:
        The ratio, at least 1, the same whichever colour comes first.
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
