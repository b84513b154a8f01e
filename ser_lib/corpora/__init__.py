"""The corpora: one file each, one table of utterances for all; nothing downstream knows which corpus it is."""

from pathlib import Path

import pandas

from ser_lib import paths
from ser_lib.corpora import emodb, iemocap, nemo, ravdess, synthetic
from ser_lib.corpora.table import COLUMNS, EMOTIONS, counts
from ser_lib.errors import SerError, suggestion

__all__ = ["COLUMNS", "EMOTIONS", "NAMES", "SCENARIOS", "TITLES", "counts", "load"]

TITLES = {
    "iemocap": "IEMOCAP",
    "emodb": "Emo-DB",
    "ravdess": "RAVDESS",
    "nemo": "nEMO",
    "synthetic": "Synthetic",
}
NAMES = tuple(TITLES)
SCENARIOS = ("improvised", "all")
FOLDERS = {"iemocap": ("iemocap", "IEMOCAP_full_release", "IEMOCAP")}  # other names that a corpus's folder goes by
IEMOCAP_LAYOUT = ("iemocap", "synthetic")


def load(
    name: str,
    root: str | Path | None = None,
    *,
    allow_partial: bool = False,
    scenarios: str = "improvised",
    merge_excited: bool = False,
    progress: bool = False,
) -> pandas.DataFrame:
    """Read a corpus from its publisher's layout and check it, every selected file included.

    Args:
        name: one of ``NAMES``.
        root: the corpus's top folder; without it, ``$SER_CORPORA/<name>``. The synthetic corpus is written to ``root``
            (without it, to the project's data folder) when it is not there yet.
        allow_partial: go on with an incomplete corpus; what is missing is then said in ``attrs["notes"]``.
        scenarios: "improvised" (the paper, Section 1.1) or "all"; IEMOCAP's layout only.
        merge_excited: count ``exc`` as happiness, which the paper does not; IEMOCAP's layout only.
        progress: show a progress bar on stderr.

    Returns:
        One row per utterance of the four emotions, sorted by utterance: ``utterance, path, speaker, gender`` ("F" or
        "M"), ``session`` (from 1; pairs two speakers), ``scenario, emotion, duration`` (seconds). ``attrs`` holds
        ``corpus``, ``fingerprint`` (12 hex digits of selection, labels and decoded audio), ``options`` and ``notes``.

    Raises:
        SerError: unknown name or option, or anything in the corpus that is missing, malformed or unfit.
    """
    if name not in NAMES:
        raise SerError(f"unknown corpus {name!r}{suggestion(name, NAMES)}")
    if scenarios not in SCENARIOS:
        raise SerError(f"unknown scenarios {scenarios!r}; they are {' or '.join(SCENARIOS)}")
    if name in IEMOCAP_LAYOUT:
        module = iemocap if name == "iemocap" else synthetic
        return module.load(
            find_root(name, root),
            allow_partial=allow_partial,
            scenarios=scenarios,
            merge_excited=merge_excited,
            progress=progress,
        )
    if scenarios != "improvised" or merge_excited:
        raise SerError(
            f"{name} has neither scenarios to choose from nor excited speech to merge: leave out "
            f"scenarios and merge_excited, which are for {' and '.join(IEMOCAP_LAYOUT)}"
        )
    module = {"emodb": emodb, "ravdess": ravdess, "nemo": nemo}[name]
    return module.load(find_root(name, root), allow_partial=allow_partial, progress=progress)


def find_root(name: str, root: str | Path | None) -> Path:
    """The folder to read: what was given, or the place that the environment variable ``SER_CORPORA`` leads to."""
    if root is not None:
        return Path(root).expanduser()
    if name == "synthetic":
        return synthetic.default_root()
    corpora = paths.chosen("SER_CORPORA")
    if corpora is None:
        raise SerError(
            f"{name}: no folder given; pass root (--root) or set the environment variable SER_CORPORA "
            f"to the folder that holds {name}/"
        )
    candidates = [corpora / folder for folder in FOLDERS.get(name, (name,))]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise SerError(
        f"{name}: there is no folder {' or '.join(map(str, candidates))} (SER_CORPORA is {corpora}); "
        f"pass root (--root) with the corpus's top folder"
    )
