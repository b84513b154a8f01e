"""What notebooks share: misspelt parameters are refused, which papermill alone does not do, and families are shown."""

import types
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import display

from ser_lib import figures, pages, provenance, scoring, tables
from ser_lib.collection import Results
from ser_lib.corpora import TITLES
from ser_lib.errors import SerError
from ser_lib.experiments import FAMILIES, suggestion

_KERNEL = {"In", "Out", "get_ipython", "exit", "quit", "open"}


def check_parameters(namespace: Mapping[str, Any], **known: type) -> None:
    """Refuse parameters that the notebook does not have; to be called right behind its parameters cell.

    papermill only warns of a misspelt ``-p`` and then runs with the default. It defines each parameter as a variable,
    so that any other variable that exists by then is a misspelt one.

    Args:
        namespace: the notebook's ``globals()``.
        known: name of each parameter -> its type.

    Raises:
        SerError: a parameter is unknown, missing or of the wrong type; the message suggests the nearest name.
    """
    given = {
        name
        for name, value in namespace.items()
        if not name.startswith("_") and name not in _KERNEL and not isinstance(value, types.ModuleType)
    }
    for name in sorted(given - set(known)):
        raise SerError(f"there is no parameter {name!r}{suggestion(name, known)}")
    for name, kind in known.items():
        if name not in given:
            raise SerError(f"parameter {name!r} is not set")
        value = namespace[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise SerError(f"parameter {name} = {value!r} must be of type {kind.__name__}")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a parameter's value that is none of its choices.

    Raises:
        SerError: it is not; the message suggests the nearest choice.
    """
    if value not in choices:
        raise SerError(f"parameter {name} = {value!r} is none of its choices{suggestion(value, choices)}")


def show_comparisons(results: Results, scored: pd.DataFrame, family: str, caption: str) -> None:
    """Display a family of experiments on every corpus where it was run, each beside the one it is compared with.

    Args:
        results: all runs, and those that diverged.
        scored: their scores; as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return
            them.
        family: its name in :data:`ser_lib.experiments.FAMILIES`.
        caption: of every table, which names its corpus behind it.

    Source: Sections 3 and 3.1, as far as they compare without a table.
    """
    references = FAMILIES[family].references
    run = pd.concat([results.runs[scoring.RUN], results.failures[scoring.RUN]])
    corpora = provenance.corpora_with(run, family)
    for corpus in corpora:
        compared = tables.comparison(scored, results.failures, corpus, references)
        display(pages.Shown(compared, f"{caption}, {TITLES[corpus]}; differences in points, paired by fold and seed"))
        display(figures.paired_differences(scored, corpus, references, "ua", results.failures))
    counted = scoring.in_differences(results.runs, references)
    unlike = provenance.across_hardware(counted, references)
    display(pages.Source(provenance.behind(counted, family, corpora=corpora) + unlike))
