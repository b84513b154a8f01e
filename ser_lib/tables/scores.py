"""Tables 1, 2 and 3, the steps between their experiments, and experiments beside what they are compared with."""

import itertools
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ser_lib import paper, paths
from ser_lib.corpora import TITLES
from ser_lib.errors import SerError
from ser_lib.experiments import BATCH_SIZES, BEST, batch_name
from ser_lib.files import write_file
from ser_lib.scoring import (
    balanced,
    in_common,
    of_experiment,
    paired_difference,
    summary,
    supported_interval,
    tests_one_speaker,
)
from ser_lib.tables.cells import count_diverged, score_cell
from ser_lib.wording import CORPORA, LICENCE, NOT_PRINTED, NOT_RUN, no_difference, percent, points_with_interval

_OWN_AVERAGES = {"10 fold cross-valid.": "mean over folds", "5 best folds": "better speaker of each session"}
"""Rows of Table 2 that average its own folds -> what they are called here."""


def table1(scored: pd.DataFrame, failures: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 1 for one metric: the paper's score beside ours, by corpus; percent, mean over folds with 95 % interval.

    Below `MINIMUM_FOLDS` folds there is no interval, and the number of folds stands in its place. Runs that diverged
    are in no mean, and are counted behind it.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        failures: runs whose loss did not stay finite.
        metric: ``wa`` or ``ua``.
    """
    summarised = summary(scored).set_index(["corpus", "experiment"])
    rows = []
    for column in paper.TABLE1:
        row = {
            "Experiment": column.experiment,
            "VTLP": "+" if column.augmentation else "−",
            "×2": "+" if column.oversampling else "−",
            "kHz": column.kilohertz,
            "Paper, IEMOCAP": f"{getattr(column, metric):.1f}",
        }
        for corpus in CORPORA:
            row[f"Ours, {TITLES[corpus]}"] = score_cell(summarised, scored, failures, corpus, column.experiment, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def table2(scored: pd.DataFrame, corpus: str, experiment: str = "table1-best") -> pd.DataFrame:
    """Table 2 of one corpus: each fold's test speaker, its utterances, WA and UA (percent; mean over seeds)."""
    part = balanced(of_experiment(scored, corpus, experiment))
    by_fold = part.groupby(["fold", "test_speaker"])[["utterances", "wa", "ua"]].mean().reset_index()
    table = by_fold.rename(columns={"fold": "Fold", "test_speaker": "Test speaker", "utterances": "Utterances"})
    table["Utterances"] = table["Utterances"].astype(int)
    table["WA (%)"] = (100 * by_fold["wa"]).map("{:.1f}".format)
    table["UA (%)"] = (100 * by_fold["ua"]).map("{:.1f}".format)
    return table[["Fold", "Test speaker", "Utterances", "WA (%)", "UA (%)"]]


def table2_as_printed(scored: pd.DataFrame, experiment: str = "table1-best") -> pd.DataFrame:
    """The upper part of Table 2 as the paper prints it, and beside each speaker of IEMOCAP our scores, once there are.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        experiment: whose scores stand beside the paper's.

    Source: Table 2.
    """
    part = balanced(of_experiment(scored, "iemocap", experiment))
    ours = 100 * part.groupby("test_speaker")[["wa", "ua"]].mean()
    table = paper.table2()
    shown = table[["fold", "session", "gender"]].rename(columns=str.capitalize)
    for metric in ("wa", "ua"):
        shown[f"{metric.upper()}, paper (%)"] = table[metric].map("{:.1f}".format)
        of_ours = table["speaker"].map(ours[metric])
        shown[f"{metric.upper()}, ours (%)"] = of_ours.map("{:.1f}".format).where(of_ours.notna(), LICENCE)
    return shown


def averages(scored: pd.DataFrame, *corpora: str, experiment: str = "table1-best") -> pd.DataFrame:
    """The rows below Table 2: mean over folds, pooled, "5 best folds" and other works, the paper's beside ours (%)."""
    printed = {
        _OWN_AVERAGES.get(name, name): (f"{row.wa:.1f}", f"{row.ua:.1f}") for name, row in paper.TABLE2_AVERAGES.items()
    }
    others = [name for name in printed if name not in _OWN_AVERAGES.values()]
    names = ["mean over folds", "pooled", "better speaker of each session", *others]
    columns = {"Average": names}
    for place, metric in enumerate(("WA", "UA")):
        columns[f"{metric} paper (IEMOCAP)"] = [printed.get(name, (NOT_PRINTED,) * 2)[place] for name in names]
        for corpus in corpora:
            ours = _table2_averages(balanced(of_experiment(scored, corpus, experiment)))
            ours += [("–", "–")] * len(others)
            columns[f"{metric} ours ({TITLES[corpus]})"] = [average[place] for average in ours]
    return pd.DataFrame(columns)


def _table2_averages(part: pd.DataFrame) -> list[tuple[str, str]]:
    """WA and UA of each row of :func:`averages`, of the runs of one experiment on one corpus."""
    if part.empty:
        return [(NOT_RUN, NOT_RUN)] * 3
    row = summary(part).iloc[0]
    mean = tuple(percent(*row[[metric, f"{metric}_low", f"{metric}_high"]], row.folds) for metric in ("wa", "ua"))
    by_fold = part.groupby("fold")[["wa", "ua"]].mean()
    better = (NOT_RUN, NOT_RUN)
    if len(by_fold) % 2 == 0 and list(by_fold.index) == list(range(1, len(by_fold) + 1)):
        better = tuple(f"{100 * score:.1f}" for score in best_of_sessions(by_fold["wa"], by_fold["ua"]))
    return [mean, (f"{100 * row.pooled_wa:.1f}", "–"), better]


def best_of_sessions(wa: np.ndarray, ua: np.ndarray) -> tuple[float, float]:
    """Table 2's "5 best folds": the mean over the fold of each session whose speaker has the higher UA.

    Args:
        wa, ua: scores by fold, in the order of the folds (two per session), shape (folds,).

    Returns:
        Mean WA and mean UA of the chosen folds.
    """
    wa, ua = np.reshape(wa, (-1, 2)), np.reshape(ua, (-1, 2))
    chosen = ua.argmax(axis=1, keepdims=True)
    return float(np.take_along_axis(wa, chosen, 1).mean()), float(np.take_along_axis(ua, chosen, 1).mean())


def fold_beside_paper(scored: pd.DataFrame) -> pd.DataFrame:
    """One run's scores beside the row of the same number in Table 2 (another speaker of another corpus), in percent.

    A run whose fold tests several speakers has no such row.
    """
    rows = []
    printed = {row.fold: row for row in paper.TABLE2}
    for run in scored.itertuples():
        title = f"ours, {TITLES[run.corpus]}"
        rows.append({"": title, "Test speaker": run.test_speaker, "WA (%)": 100 * run.wa, "UA (%)": 100 * run.ua})
        if run.fold in printed and tests_one_speaker(run.experiment):
            row = printed[run.fold]
            rows.append({"": "paper, IEMOCAP", "Test speaker": row.speaker, "WA (%)": row.wa, "UA (%)": row.ua})
    table = pd.DataFrame(rows)
    table[["WA (%)", "UA (%)"]] = table[["WA (%)", "UA (%)"]].map("{:.1f}".format)
    return table


def steps(scored: pd.DataFrame, failures: pd.DataFrame, metric: str, *corpora: str) -> pd.DataFrame:
    """What each column of Table 1 adds to the one before, the paper's beside ours, in percentage points.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        failures: runs whose loss did not stay finite.
        metric: ``ua`` or ``wa``.
        corpora: those to show.
    """
    rows = []
    for before, after in itertools.pairwise(paper.TABLE1):
        row = {"From": before.experiment, "To": after.experiment}
        row["Paper, IEMOCAP"] = f"{getattr(after, metric) - getattr(before, metric):+.1f}"
        for corpus in corpora:
            ours = 100 * paired_difference(scored, corpus, after.experiment, before.experiment, metric)
            missing = no_difference(scored, failures, corpus, after.experiment)
            row[f"Ours, {TITLES[corpus]}"] = points_with_interval(ours) if len(ours) else missing
        rows.append(row)
    return pd.DataFrame(rows)


def table3(scored: pd.DataFrame, failures: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 3 for one metric, and two batch sizes beyond it: the paper's score beside ours, by corpus.

    The paper does not say whether its learning rate grew with the batch, so that its score stands beside both rules.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them.
        failures: runs whose loss did not stay finite.
        metric: ``wa`` or ``ua``.

    Returns:
        The best model without recurrent batch normalisation, then a row per batch size and rule; per cent, mean over
        folds with 95 % interval from `MINIMUM_FOLDS` folds on, with the number of runs that diverged, if any did.

    Source: Table 3; Table 1, last column.
    """
    printed = {name: f"{getattr(column, metric):.1f}" for name, column in paper.COLUMNS.items()}
    same = f"{BEST.learning_rate:g}"
    rows = [("without", BEST.batch_size, same, printed["table1-best"], "table1-best")]
    for size in BATCH_SIZES:
        rules = {same: False} if size == BEST.batch_size else {"held": False, "scaled": True}
        for rule, scaled in rules.items():
            name = batch_name(size, scaled)
            rows.append(("with", size, rule, printed.get(name, "not printed"), name))
    columns = ["Batch normalisation", "Batch size", "Learning rate", "Paper, IEMOCAP"]
    table = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    summarised = summary(scored).set_index(["corpus", "experiment"])
    for corpus in CORPORA:
        cells = [score_cell(summarised, scored, failures, corpus, experiment, metric) for *_, experiment in rows]
        table[f"Ours, {TITLES[corpus]}"] = cells
    return table


def comparison(
    scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, references: Mapping[str, str]
) -> pd.DataFrame:
    """Each experiment of a family beside the one that it is compared with, on one corpus.

    Every number of a row is of the runs that the two have in common (:func:`in_common`), by fold and seed: where the
    other experiment was run on more folds, the score here is not the one of its full table, and score and difference
    belong together. Runs that diverged are in no mean: where there are some, the mean is of the others only.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them.
        failures: runs whose loss did not stay finite.
        corpus: whose runs to show.
        references: experiment -> the one that it is compared with.

    Returns:
        One row per experiment: both names, ``Folds`` and ``Seeds`` in common, UA and WA in per cent and their
        differences in percentage points (mean over folds; 95 % interval from `MINIMUM_FOLDS` folds on), and
        ``Diverged``, such as "3 of 10" of all its runs on the corpus.

    Source: Sections 3 and 3.1, as far as they compare without a table.
    """
    columns = ["Folds", "Seeds", "UA (%)", "WA (%)", "UA, difference", "WA, difference"]
    rows = []
    for experiment, reference in references.items():
        part, _ = in_common(scored, corpus, [experiment, reference])
        row = {"Experiment": experiment, "Compared with": reference}
        if part.empty:
            row |= dict.fromkeys(columns, no_difference(scored, failures, corpus, experiment))
        else:
            by_fold = part.groupby(level="fold")
            row |= {"Folds": int(by_fold.ngroups), "Seeds": int(by_fold.size().min())}
            for metric in ("ua", "wa"):
                means = by_fold[metric].mean()
                row[f"{metric.upper()} (%)"] = percent(means.mean(), *supported_interval(means), len(means))
            for metric in ("ua", "wa"):
                points = 100 * paired_difference(scored, corpus, experiment, reference, metric)
                row[f"{metric.upper()}, difference"] = points_with_interval(points)
        rows.append(row | {"Diverged": count_diverged(scored, failures, corpus, experiment)})
    return pd.DataFrame(rows, columns=["Experiment", "Compared with", *columns, "Diverged"])


def by_seed(scored: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """What one seed of an experiment is worth: its mean UA over speakers, for each seed that every fold has.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        experiment: whose runs.

    Returns:
        A row per corpus that was run, per cent: ``Seed 0``, ... and ``Mean``; a dash where a seed was not run.
    """
    means = {
        TITLES[corpus]: balanced(part).groupby("seed")["ua"].mean()
        for corpus in CORPORA
        if len(part := of_experiment(scored, corpus, experiment))
    }
    table = 100 * pd.DataFrame(means).T
    table = table.rename(columns="Seed {}".format).assign(Mean=table.mean(axis=1))
    return table.map(lambda value: "–" if np.isnan(value) else f"{value:.1f}").rename_axis("Corpus").reset_index()


def best_of(scored: pd.DataFrame, corpus: str, experiment: str, metric: str) -> pd.DataFrame:
    """What showing only the best of k runs adds to the score: exact, over every choice of k of the seeds.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them.
        corpus, experiment: whose seeds to choose from: those that every fold has (:func:`balanced`). A seed's score is
            its mean over the folds.
        metric: ``wa`` or ``ua``.

    Returns:
        One row per ``k`` from 1 to the number of seeds: ``expected_best``, the mean over all choices of k seeds of the
        highest score, and ``rise``, how far it lies above k = 1; both in [0, 1]. Empty below two seeds. ``attrs``
        holds the ``folds``.

    Source: Tables 1 and 3 ("for each experiment we present the results corresponding to its best run").
    """
    runs = balanced(of_experiment(scored, corpus, experiment))
    by_seed = runs.pivot(index="fold", columns="seed", values=metric).dropna()
    columns = ["k", "expected_best", "rise"]
    count = by_seed.shape[1] if len(by_seed) else 0
    if count < 2:
        return pd.DataFrame(columns=columns)
    ordered = np.sort(by_seed.mean().to_numpy())
    # The score at place i (from 0) is the highest of k in as many choices as there are of the other k - 1 below it.
    choices = [[math.comb(place, k - 1) / math.comb(count, k) for place in range(count)] for k in range(1, count + 1)]
    best = np.array(choices) @ ordered
    table = pd.DataFrame({"k": range(1, count + 1), "expected_best": best, "rise": best - best[0]}, columns=columns)
    table.attrs["folds"] = tuple(by_seed.index)
    return table


def readme_tables(scored: pd.DataFrame, failures: pd.DataFrame) -> str:
    """The results in README.md: Table 1 as Markdown, one table per metric."""
    parts = []
    for metric, title in (("ua", "Unweighted accuracy"), ("wa", "Weighted accuracy")):
        table = table1(scored, failures, metric)
        lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
        parts.append(f"{title}, percent:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def update_readme(scored: pd.DataFrame, failures: pd.DataFrame, readme: Path | None = None) -> None:
    """Write the table of results anew, between the two marks in README.md.

    Raises:
        SerError: the marks are missing.
    """
    readme = readme or paths.PROJECT / "README.md"
    pattern = re.compile(r"(<!-- results:start -->\n).*?(<!-- results:end -->)", re.DOTALL)
    written = readme_tables(scored, failures)
    text, found = pattern.subn(lambda marks: f"{marks[1]}{written}\n{marks[2]}", readme.read_text())
    if found != 1:
        raise SerError(f"{readme} has no marks <!-- results:start --> and <!-- results:end --> to write between")
    write_file(readme, lambda aside: aside.write_text(text), "make room there")
