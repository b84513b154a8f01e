"""The baselines beside the network."""

import pandas as pd

from ser_lib import baselines
from ser_lib.corpora import TITLES
from ser_lib.experiments import EXPERIMENTS
from ser_lib.scoring import balanced, of_experiment, scores, summary
from ser_lib.tables.cells import refuse_other_corpus, score_cell
from ser_lib.wording import CORPORA, NOTHING_SHARED, points_with_interval, unmeasured

NETWORKS = {
    "table1-baseline": "network, baseline of Table 1",
    "table1-best": "network, best model of Table 1",
}
"""Experiments that stand beside the baselines, and how the tables name them."""


def baseline_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every baseline on every fold.

    Args:
        predictions: as :func:`ser_lib.baselines.load` returns them.

    Returns:
        As :func:`ser_lib.scoring.scores`; under ``experiment`` the names of :func:`baseline_variants`, under ``seed``
        0.
    """
    return scores(baselines.as_runs(predictions))


def baseline_variants(with_choice_only: bool = False) -> dict[str, tuple[str, str]]:
    """Each baseline with each of its normalisations: name under ``experiment`` -> both in words.

    Args:
        with_choice_only: leave out the baselines that have no C to choose.
    """
    return {
        baselines.variant(name, normalisation): (baseline.title, baselines.NORMALISATIONS[normalisation])
        for name, baseline in baselines.BASELINES.items()
        if len(baseline.strengths) > 1 or not with_choice_only
        for normalisation in baseline.normalisations
    }


def baselines_table(
    scored: pd.DataFrame, failures: pd.DataFrame, predictions: pd.DataFrame, runs: pd.DataFrame, metric: str
) -> pd.DataFrame:
    """The baselines and the network on the same folds, by corpus, for one metric.

    Args:
        scored: of the network, as :func:`ser_lib.scoring.scores` returns them.
        failures: the network's runs whose loss did not stay finite.
        predictions: of the baselines, as :func:`ser_lib.baselines.load` returns them.
        runs: where the network's runs come from: ``corpus`` and ``fingerprint``.
        metric: ``wa`` or ``ua``.

    Returns:
        One row per baseline and normalisation, then one per experiment of `NETWORKS`; per cent, mean over folds with
        95 % interval over speakers from `MINIMUM_FOLDS` folds on.

    Raises:
        SerError: baselines and runs are of different versions of a corpus.

    Source: Section 3 (folds and averages); Table 1, first and last column (the network).
    """
    refuse_other_corpus(predictions, runs, "the baselines", "baselines --corpus {}")
    summarised = summary(pd.concat([scored, baseline_scores(predictions)])).set_index(["corpus", "experiment"])
    rows = []
    for experiment, (title, normalisation) in (baseline_variants() | _networks()).items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            row[TITLES[corpus]] = score_cell(summarised, scored, failures, corpus, experiment, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def network_over_baselines(
    scored: pd.DataFrame, predictions: pd.DataFrame, runs: pd.DataFrame, experiment: str, metric: str
) -> pd.DataFrame:
    """The network's score less that of each baseline, paired by test speaker, by corpus.

    Args:
        scored: of the network, as :func:`ser_lib.scoring.scores` returns them.
        predictions: of the baselines, as :func:`ser_lib.baselines.load` returns them.
        runs: where the network's runs come from: ``corpus`` and ``fingerprint``.
        experiment: which network.
        metric: ``wa`` or ``ua``.

    Returns:
        One row per baseline and normalisation; percentage points, mean over folds (seeds averaged first) with 95 %
        interval from `MINIMUM_FOLDS` folds on; above zero, the network is ahead.

    Raises:
        SerError: baselines and runs are of different versions of a corpus.
    """
    refuse_other_corpus(predictions, runs, "the baselines", "baselines --corpus {}")
    of_baselines = baseline_scores(predictions)
    rows = []
    for name, (title, normalisation) in baseline_variants().items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            network, baseline = (
                balanced(of_experiment(part, corpus, of)).groupby(["fold", "test_speaker"])[metric].mean()
                for part, of in ((scored, experiment), (of_baselines, name))
            )
            points = 100 * (network - baseline).dropna().to_numpy(dtype=float)
            missing = NOTHING_SHARED if len(network) and len(baseline) else unmeasured(corpus)
            row[TITLES[corpus]] = points_with_interval(points) if len(points) else missing
        rows.append(row)
    return pd.DataFrame(rows)


def chosen_strengths(predictions: pd.DataFrame) -> pd.DataFrame:
    """Which C the validation speakers chose, in how many folds of each corpus.

    Args:
        predictions: as :func:`ser_lib.baselines.load` returns them.

    Returns:
        One row per baseline that has a C and normalisation, such as "0.001 (4), 0.01 (6)" for each corpus.
    """
    by_fold = baselines.as_runs(predictions).drop_duplicates(["corpus", "experiment", "fold"])
    rows = []
    for name, (title, normalisation) in baseline_variants(with_choice_only=True).items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            counts = of_experiment(by_fold, corpus, name)["C"].value_counts().sort_index()
            found = ", ".join(f"{strength:g} ({folds})" for strength, folds in counts.items())
            row[TITLES[corpus]] = found or unmeasured(corpus)
        rows.append(row)
    return pd.DataFrame(rows)


def _networks() -> dict[str, tuple[str, str]]:
    """The experiments of `NETWORKS`, with what their spectrograms are normalised by (eq. 2)."""
    by = {"dataset": "whole dataset (eq. 2)", "training": baselines.NORMALISATIONS["training"], "none": "none"}
    return {name: (title, by[EXPERIMENTS[name].normalisation]) for name, title in NETWORKS.items()}
