"""Tables of scores, computed from predictions; pure functions of tidy tables (Tables 1, 2 and 3, Section 3)."""

import base64
import gzip
import html
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.metrics import recall_score

from ser_lib import baselines, model, paper, paths, records, training, transfer
from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.experiments import (
    BASELINE,
    BATCH_SIZES,
    BEST,
    CONVOLUTIONS,
    EXPERIMENTS,
    FAMILIES,
    Experiment,
    batch_name,
    depth_name,
    members,
)
from ser_lib.features import frame_counts
from ser_lib.folds import OVERSAMPLED
from ser_lib.protocols import ONE_TEST_SPEAKER, folds_of

RUN = records.IDENTITY
_NO_FAILURES = pd.DataFrame(columns=RUN)
OPEN_CORPORA = ("emodb", "ravdess", "nemo")
CORPORA = (*OPEN_CORPORA, "iemocap")
"""Those of the pages, in their order."""
NOT_RUN = "not run yet"
LICENCE = "not run here"
"""IEMOCAP's columns, until an owner of the licence runs them."""

DIVERGED = "diverged"
"""The experiment was run, and its loss did not stay finite in any run."""

NOTHING_SHARED = "no run in common"
"""Both experiments were run, but never on the same fold with the same seed."""

MINIMUM_FOLDS = 6
"""Fewer speakers than this decide nothing, and have no interval."""

NETWORKS = {
    "table1-baseline": "network, baseline of Table 1",
    "table1-best": "network, best model of Table 1",
}
"""Experiments that stand beside the baselines, and how the tables name them."""

PROTOCOLS = {
    "table1-baseline": "the paper's: one speaker tests, the partner validates",
    "normalisation-training": "the same, but eq. 2 from the training part alone",
    "protocol-test-validates": "the same, but the test speaker chooses the epoch",
    "protocol-mixed-pair": "the speakers of a session are taken for one another",
    "protocol-sessions": "both speakers of a session test",
    "protocol-utterances": "parts of the utterances, whoever spoke them",
}
"""The experiments of the family `protocol`, and how tables and figures name what each does."""

NO_FAMILY = "no family"
"""Where an experiment belongs that answers none of the families' questions."""

LAYERS = (1, 2, 3, 4)
"""Numbers of Bi-LSTM layers of the depth study (Section 3)."""


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every run.

    Args:
        predictions: test predictions with ``corpus, experiment, fold, seed, speaker, truth, prediction``.

    Returns:
        One row per run: those four, ``test_speaker`` (all of them, ``03+08``, where the experiment's protocol tests
        several), ``utterances``, ``correct``, and ``wa`` and ``ua`` in [0, 1].

    Raises:
        SerError: a run tests several speakers, and the protocol of its experiment does not.
    """
    scored = _accuracies(predictions, RUN)
    speakers = predictions.groupby(RUN, sort=True)["speaker"].unique().map(sorted)
    for run, several in speakers[speakers.map(len) != 1].items():
        if tests_one_speaker(run[1]):
            raise SerError(f"run {run} tests {len(several)} speakers: a fold tests one")
    scored.insert(len(RUN), "test_speaker", pd.Series(["+".join(several) for several in speakers], dtype=str))
    return scored


def speaker_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every test speaker, so that experiments can be paired whatever their protocols.

    Under every protocol each utterance is tested once: the predictions of a speaker's utterances, which may come from
    several runs of one seed, are scored together.

    Args:
        predictions: as for :func:`scores`, with ``utterance``; those of the paper's protocol say which utterances a
            speaker has.

    Returns:
        As :func:`scores`, a row per corpus, experiment, seed and speaker. ``fold`` is the number of the fold that tests
        the speaker under the paper's protocol. A speaker of whom a seed has not tested every utterance yet, or whom no
        run of the paper's protocol tests, has no row.

    Raises:
        SerError: an utterance was tested twice with one seed.

    Source: Section 3, first paragraph (the paper's own protocol, whose rows are those of :func:`scores`).
    """
    alone = predictions["experiment"].map(tests_one_speaker).astype(bool)
    scored = scores(predictions[alone])
    speakers = scored.drop_duplicates(["corpus", "test_speaker"])[["corpus", "test_speaker", "fold", "utterances"]]
    pooled = predictions[~alone].drop(columns="fold")
    keys = ["corpus", "experiment", "seed", "speaker"]
    for again in pooled[pooled.duplicated([*keys, "utterance"])].itertuples():
        raise SerError(
            f"{again.corpus}, {again.experiment}, seed {again.seed}: {again.utterance} was tested twice; "
            "collect the results again"
        )
    pooled = pooled.rename(columns={"speaker": "test_speaker"}).merge(speakers, on=["corpus", "test_speaker"])
    whole = pooled.groupby([*RUN, "test_speaker"])["utterance"].transform("size") == pooled["utterances"]
    of_others = _accuracies(pooled[whole], [*RUN, "test_speaker"])
    return pd.concat([part for part in (scored, of_others) if len(part)] or [scored], ignore_index=True)


def _accuracies(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Weighted and unweighted accuracy of :mod:`ser_lib.metrics` of many groups of utterances, all at once.

    Args:
        table: ``truth`` and ``prediction`` of each utterance, and the columns ``by``.
        by: whose values name a group, such as the identity of a run.

    Returns:
        One row per group, in their order: ``by``, ``utterances``, ``correct``, and ``wa`` and ``ua`` in [0, 1].

    Raises:
        SerError: a class is absent from the ``truth`` of a group, or a label is no emotion.
    """
    groups = table.groupby(by, sort=True)
    rows = groups.size().reset_index(name="utterances")
    # Emotion k of group g is class g * len(EMOTIONS) + k of one larger problem, which scikit-learn scores in one call.
    shape = (len(rows), len(EMOTIONS))
    number = groups.ngroup().to_numpy()
    truth, prediction = (number * shape[1] + _classes(table[column]) for column in ("truth", "prediction"))
    absent = np.bincount(truth, minlength=np.prod(shape)).reshape(shape) == 0
    for group, emotion in np.argwhere(absent):
        name = ", ".join(map(str, rows.loc[group, by]))
        raise SerError(f"{name}: no utterance of class {EMOTIONS[emotion]} to score: UA needs every class")
    rows["correct"] = np.bincount(number[truth == prediction], minlength=len(rows))
    rows["wa"] = rows["correct"] / rows["utterances"]
    classes = np.arange(np.prod(shape))
    recalls = recall_score(truth, prediction, labels=classes, average=None) if len(rows) else np.empty(0)
    rows["ua"] = recalls.reshape(shape).mean(axis=1)
    return rows


def _classes(emotions: pd.Series) -> np.ndarray:
    """The place of each name among the emotions."""
    places = pd.Index(EMOTIONS).get_indexer(emotions)
    if (places < 0).any():
        raise SerError(f"label {emotions[places < 0].iloc[0]} is not one of {', '.join(EMOTIONS)}")
    return places


def tests_one_speaker(experiment: str) -> bool:
    """Whether each fold of an experiment tests one speaker, with all of that speaker's utterances.

    Args:
        experiment: its name; what is no experiment, such as a baseline, has the paper's folds.
    """
    return _protocol(experiment) in ONE_TEST_SPEAKER


def _protocol(experiment: str) -> str:
    return EXPERIMENTS.get(experiment, BASELINE).protocol


def validation_scores(histories: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every run on its validation speaker, at the epoch that was chosen.

    That speaker chose the epoch, so that these scores are higher than those of a speaker who chose nothing.

    Args:
        histories: every epoch of every run: ``corpus, experiment, fold, seed, epoch, validation_wa, validation_ua``.
        runs: those four and ``best_epoch``, one row per run.

    Returns:
        One row per run: the four, and ``wa`` and ``ua`` in [0, 1]; it serves wherever scores are only averaged or
        compared, and has no utterances to pool.

    Raises:
        SerError: the history of a run lacks its chosen epoch.

    Source: Section 3, first paragraph (the validation speaker; the paper prints no score of theirs).
    """
    chosen = runs[[*RUN, "best_epoch"]].rename(columns={"best_epoch": "epoch"}).astype({"epoch": object})
    names = {"validation_wa": "wa", "validation_ua": "ua"}
    found = chosen.merge(
        histories[[*RUN, "epoch", *names]].astype({"epoch": object}), "left", [*RUN, "epoch"], validate="one_to_one"
    )
    if found["validation_ua"].isna().any():
        run = ", ".join(map(str, found.loc[found["validation_ua"].isna(), RUN].iloc[0]))
        raise SerError(f"the history of the run ({run}) lacks the epoch that was chosen: collect the results again")
    return found.rename(columns=names).infer_objects()[[*RUN, "wa", "ua"]]


def interval(values: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Student's t interval of a mean over speakers; NaN below two values.

    Args:
        values: one score per speaker, shape (..., speakers).
        level: share of intervals that hold the true mean, if speakers were drawn at random.

    Returns:
        Lower and upper end, shape (...); without any spread both are the mean.
    """
    values = np.asarray(values, dtype=float)
    speakers, mean = values.shape[-1], values.mean(axis=-1) if values.size else np.nan
    if speakers < 2:
        return mean * np.nan, mean * np.nan
    # Not stats.t.interval, which is NaN without spread.
    half = stats.t.ppf((1 + level) / 2, speakers - 1) * stats.sem(values, axis=-1)
    return mean - half, mean + half


def supported_interval(values: np.ndarray) -> tuple[float, float]:
    """The interval of a mean over speakers as tables and figures show it: NaN below `MINIMUM_FOLDS`.

    Args:
        values: one score per speaker, shape (speakers,).
    """
    return interval(values) if len(values) >= MINIMUM_FOLDS else (float("nan"), float("nan"))


def balanced(part: pd.DataFrame) -> pd.DataFrame:
    """The runs of those seeds that every fold of an experiment has run; all of its runs if there is no such seed.

    More seeds on a few folds, as for the study of best runs, would otherwise change a mean over all folds.

    Args:
        part: runs of one experiment on one corpus, with ``fold`` and ``seed``.
    """
    folds = part.groupby("seed")["fold"].nunique()
    complete = folds.index[folds == part["fold"].nunique()]
    return part[part["seed"].isin(complete)] if len(complete) else part


def in_means(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that count in means over folds: of each corpus and experiment those that :func:`balanced` keeps."""
    parts = [balanced(part) for _, part in runs.groupby(["corpus", "experiment"], sort=False)]
    return pd.concat(parts) if parts else runs


def in_differences(runs: pd.DataFrame, references: Mapping[str, str]) -> pd.DataFrame:
    """The runs that count in the differences of experiments from those they are compared with; see :func:`in_common`.

    Args:
        runs: every run, with ``corpus, experiment, fold, seed`` and ``test_speaker``.
        references: experiment -> the one that it is compared with.
    """
    parts = [
        part.reset_index()
        for corpus in runs["corpus"].unique()
        for pair in references.items()
        for part in in_common(runs, corpus, pair)
    ]
    return pd.concat(parts, ignore_index=True).drop_duplicates(RUN) if parts else runs.iloc[:0]


def across_hardware(runs: pd.DataFrame, references: Mapping[str, str]) -> str:
    """How many of the pairs behind some differences are of runs on unlike hardware: a sentence, or nothing if none.

    Args:
        runs: every run, with ``corpus, experiment, fold, seed, test_speaker`` and ``hardware``.
        references: experiment -> the one that it is compared with.
    """
    pairs = [in_common(runs, corpus, pair) for corpus in runs["corpus"].unique() for pair in references.items()]
    unlike = sum(int((one["hardware"] != other["hardware"]).sum()) for one, other in pairs)
    total = sum(len(one) for one, _ in pairs)
    return f" Of {counted(total, 'pair')}, {unlike} are of runs on unlike hardware." if unlike else ""


def summary(scored: pd.DataFrame) -> pd.DataFrame:
    """Each experiment on each corpus: mean over folds with its interval, and the pooled WA.

    Seeds of a fold are averaged first: the speakers are the sample, the seeds are not. Seeds that only some folds have
    run are left out (:func:`balanced`). Below `MINIMUM_FOLDS` folds the ends of the interval are NaN, and where folds
    share test speakers: then they are no sample.

    Returns:
        One row per corpus and experiment: ``folds``, ``seeds`` (the fewest of any fold), ``runs``, ``wa``, ``wa_low``,
        ``wa_high``, ``ua``, ``ua_low``, ``ua_high``, ``pooled_wa`` (NaN for scores of the validation speaker).

    Source: Section 3 ("First, we compute the metrics for each fold and then present the scores as the average").
    """
    rows = []
    for (corpus, experiment), part in scored.groupby(["corpus", "experiment"], sort=True):
        part = balanced(part)
        by_fold = part.groupby("fold")[["wa", "ua"]].mean()
        row = {
            "corpus": corpus,
            "experiment": experiment,
            "folds": len(by_fold),
            "seeds": int(part.groupby("fold")["seed"].nunique().min()),
            "runs": len(part),
            "pooled_wa": part["correct"].sum() / part["utterances"].sum() if "correct" in part else np.nan,
        }
        for metric in ("wa", "ua"):
            low, high = (np.nan, np.nan) if _share_speakers(part) else supported_interval(by_fold[metric])
            row |= {metric: by_fold[metric].mean(), f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    columns = ["corpus", "experiment", "folds", "seeds", "runs", "pooled_wa"]
    columns += [metric + end for metric in ("wa", "ua") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def _share_speakers(part: pd.DataFrame) -> bool:
    """Whether a speaker is tested in more than one fold."""
    if "test_speaker" not in part:
        return False
    by_fold = part.drop_duplicates("fold")["test_speaker"].astype(str).str.split("+")
    return bool(by_fold.explode().duplicated().any())


def paired_difference(scored: pd.DataFrame, corpus: str, experiment: str, reference: str, metric: str) -> np.ndarray:
    """What an experiment adds to a reference, speaker by speaker, over the runs of :func:`in_common`.

    Seeds that only some folds have run with both experiments are left out, unless there is no other.

    Returns:
        Differences in [-1, 1], seeds averaged, one per fold, shape (folds,); empty when they share no run.

    Raises:
        SerError: folds of one number do not test the same speaker; see :func:`speaker_scores`.
    """
    sides = in_common(scored, corpus, [experiment, reference])
    difference = (sides[0][metric] - sides[1][metric]).dropna()
    return difference.groupby("fold").mean().to_numpy()


def in_common(scored: pd.DataFrame, corpus: str, experiments: Iterable[str]) -> list[pd.DataFrame]:
    """The runs of each experiment on the folds and seeds that all of them have run, as :func:`balanced` keeps them.

    Args:
        scored: as :func:`scores` or :func:`validation_scores` return them.
        corpus: whose runs.
        experiments: which of its experiments.

    Returns:
        One table per experiment with the index ``fold, seed``, all in the same order; empty ones if nothing is shared.

    Raises:
        SerError: folds of one number do not test the same speaker, as under different protocols.
    """
    experiments = list(experiments)
    if not experiments:
        return []
    parts = [_part(scored, corpus, name).set_index(["fold", "seed"]).sort_index() for name in experiments]
    shared = set.intersection(*(set(part.index) for part in parts))
    kept = set(balanced(pd.DataFrame(list(shared), columns=["fold", "seed"])).itertuples(index=False, name=None))
    parts = [part[np.array([run in kept for run in part.index], dtype=bool)] for part in parts]
    _refuse_other_folds(dict(zip(experiments, parts, strict=True)))
    return parts


def _refuse_other_folds(parts: Mapping[str, pd.DataFrame]) -> None:
    """Refuse to pair experiments by fold whose folds of one number are not of the same people.

    Args:
        parts: experiment -> its runs in common with the others, in the same order. Without ``test_speaker``, as scores
            of the validation part are, the protocols of the experiments decide.
    """
    first, *others = parts
    for other in others:
        if "test_speaker" in parts[first]:
            ours, theirs = parts[first]["test_speaker"].align(parts[other]["test_speaker"], join="inner")
            same = ours.equals(theirs)
        else:
            same = parts[first].empty or _protocol(first) == _protocol(other)
        if not same:
            raise SerError(
                f"{first} and {other} cannot be paired by fold, as a fold of one number is not of the same people in "
                "both: compare the test scores of speakers (tables.speaker_scores)"
            )


def absence(failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """What to say where an experiment has no score on a corpus: diverged, or not run (yet).

    Args:
        failures: runs whose loss did not stay finite, with ``corpus`` and ``experiment``.
        corpus, experiment: what has no score.
    """
    if len(_part(failures, corpus, experiment)):
        return DIVERGED
    return LICENCE if corpus == "iemocap" else NOT_RUN


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


def with_interval(mean: float, low: float, high: float) -> str:
    """Percent with an interval: 81.3 [75.0, 87.6]. No end of one is shown below 0 or above 100, where no score is."""
    if np.isnan(low):
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} [{100 * max(low, 0):.1f}, {100 * min(high, 1):.1f}]"


def counted(count: int, noun: str) -> str:
    """A number of things in words: 1 fold, 2 folds."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table1(scored: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 1 for one metric: the paper's score beside ours, by corpus; percent, mean over folds with 95 % interval.

    Below `MINIMUM_FOLDS` folds there is no interval, and the number of folds stands in its place.

    Args:
        scored: as :func:`scores` returns them.
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
            row[f"Ours, {TITLES[corpus]}"] = _cell(summarised, corpus, column.experiment, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def table2(scored: pd.DataFrame, corpus: str, experiment: str = "table1-best") -> pd.DataFrame:
    """Table 2 of one corpus: each fold's test speaker, its utterances, WA and UA (percent; mean over seeds)."""
    part = balanced(_part(scored, corpus, experiment))
    by_fold = part.groupby(["fold", "test_speaker"])[["utterances", "wa", "ua"]].mean().reset_index()
    table = by_fold.rename(columns={"fold": "Fold", "test_speaker": "Test speaker", "utterances": "Utterances"})
    table["Utterances"] = table["Utterances"].astype(int)
    table["WA (%)"] = (100 * by_fold["wa"]).map("{:.1f}".format)
    table["UA (%)"] = (100 * by_fold["ua"]).map("{:.1f}".format)
    return table[["Fold", "Test speaker", "Utterances", "WA (%)", "UA (%)"]]


def averages(scored: pd.DataFrame, *corpora: str, experiment: str = "table1-best") -> pd.DataFrame:
    """The rows below Table 2: mean over folds, pooled, and "5 best folds", the paper's beside ours (percent)."""
    names = ["mean over folds", "pooled", "better speaker of each session"]
    mean, best = paper.TABLE2_AVERAGES["10 fold cross-valid."], paper.TABLE2_AVERAGES["5 best folds"]
    printed = {
        names[0]: (f"{mean.wa:.1f}", f"{mean.ua:.1f}"),
        names[1]: ("not printed", "not printed"),
        names[2]: (f"{best.wa:.1f}", f"{best.ua:.1f}"),
    }
    columns = {"Average": names}
    for place, metric in enumerate(("WA", "UA")):
        columns[f"{metric} paper (IEMOCAP)"] = [printed[name][place] for name in names]
        for corpus in corpora:
            ours = _table2_averages(balanced(_part(scored, corpus, experiment)))
            columns[f"{metric} ours ({TITLES[corpus]})"] = [average[place] for average in ours]
    return pd.DataFrame(columns)


def _table2_averages(part: pd.DataFrame) -> list[tuple[str, str]]:
    """WA and UA of each row of :func:`averages`, of the runs of one experiment on one corpus."""
    if part.empty:
        return [(NOT_RUN, NOT_RUN)] * 3
    row = summary(part).iloc[0]
    mean = tuple(_percent(*row[[metric, f"{metric}_low", f"{metric}_high"]], row.folds) for metric in ("wa", "ua"))
    by_fold = part.groupby("fold")[["wa", "ua"]].mean()
    better = (NOT_RUN, NOT_RUN)
    if len(by_fold) % 2 == 0 and list(by_fold.index) == list(range(1, len(by_fold) + 1)):
        better = tuple(f"{100 * score:.1f}" for score in best_of_sessions(by_fold["wa"], by_fold["ua"]))
    return [mean, (f"{100 * row.pooled_wa:.1f}", "–"), better]


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


def steps(scored: pd.DataFrame, *corpora: str) -> pd.DataFrame:
    """What each column of Table 1 adds to the one before, the paper's beside ours, in percentage points."""
    rows = []
    for before, after in itertools.pairwise(paper.TABLE1):
        row = {"From": before.experiment, "To": after.experiment}
        for metric in ("ua", "wa"):
            row[f"{metric.upper()} paper, IEMOCAP"] = f"{getattr(after, metric) - getattr(before, metric):+.1f}"
            for corpus in corpora:
                ours = 100 * paired_difference(scored, corpus, after.experiment, before.experiment, metric)
                row[f"{metric.upper()} ours, {TITLES[corpus]}"] = points_with_interval(ours) if len(ours) else NOT_RUN
        rows.append(row)
    return pd.DataFrame(rows)


def points_with_interval(differences: np.ndarray) -> str:
    """Mean of differences in percentage points, one per speaker, with its 95 % interval: +1.2 [−0.3, +2.7].

    Below `MINIMUM_FOLDS` there is no interval: +1.2 (2 folds).
    """
    low, high = supported_interval(differences)
    mean = f"{np.mean(differences):+.1f}"
    return f"{mean} ({counted(len(differences), 'fold')})" if np.isnan(low) else f"{mean} [{low:+.1f}, {high:+.1f}]"


def comparison(
    scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, references: Mapping[str, str]
) -> pd.DataFrame:
    """Each experiment of a family beside the one that it is compared with, on one corpus.

    Every number of a row is of the runs that the two have in common (:func:`in_common`), by fold and seed: where the
    other experiment was run on more folds, the score here is not the one of its full table, and score and difference
    belong together. Runs that diverged are in no mean: where there are some, the mean is of the others only.

    Args:
        scored: as :func:`scores` or :func:`validation_scores` return them.
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
            run = len(_part(scored, corpus, experiment))
            row |= dict.fromkeys(columns, NOTHING_SHARED if run else absence(failures, corpus, experiment))
        else:
            by_fold = part.groupby(level="fold")
            row |= {"Folds": int(by_fold.ngroups), "Seeds": int(by_fold.size().min())}
            for metric in ("ua", "wa"):
                means = by_fold[metric].mean()
                row[f"{metric.upper()} (%)"] = _percent(means.mean(), *supported_interval(means), len(means))
            for metric in ("ua", "wa"):
                points = 100 * paired_difference(scored, corpus, experiment, reference, metric)
                row[f"{metric.upper()}, difference"] = points_with_interval(points)
        rows.append(row | {"Diverged": _diverged(scored, failures, corpus, experiment)})
    return pd.DataFrame(rows, columns=["Experiment", "Compared with", *columns, "Diverged"])


def oversampled_shares(utterances: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """What oversampling (×2) makes of the classes of each corpus: a row per corpus, such as "23 → 15" per emotion.

    Args:
        utterances: open corpus -> its table of utterances; None where none is kept, which has no row.

    Returns:
        Per cent of all utterances, in whole numbers; IEMOCAP's row, first, is of its published counts.

    Source: Section 2; Table 1, "Oversampling (x2) of happiness and anger".
    """
    counts = {"iemocap": iemocap.PUBLISHED_COUNTS.sum()}
    counts |= {name: table["emotion"].value_counts() for name, table in utterances.items() if table is not None}
    rows = []
    for corpus, before in counts.items():
        before = before.reindex(list(EMOTIONS))
        after = before * np.where(before.index.isin(OVERSAMPLED), 2, 1)
        shares = zip(EMOTIONS, 100 * before / before.sum(), 100 * after / after.sum(), strict=True)
        rows.append({"Corpus": TITLES[corpus]} | {emotion: f"{old:.0f} → {new:.0f}" for emotion, old, new in shares})
    return pd.DataFrame(rows)


def table3(scored: pd.DataFrame, failures: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 3 for one metric, and two batch sizes beyond it: the paper's score beside ours, by corpus.

    The paper does not say whether its learning rate grew with the batch, so that its score stands beside both rules.

    Args:
        scored: as :func:`scores` or :func:`validation_scores` return them.
        failures: runs whose loss did not stay finite.
        metric: ``wa`` or ``ua``.

    Returns:
        The best model without recurrent batch normalisation, then a row per batch size and rule; per cent, mean over
        folds with 95 % interval from `MINIMUM_FOLDS` folds on, with the number of runs that diverged, if any did.

    Source: Table 3; Table 1, last column.
    """
    best = next(column for column in paper.TABLE1 if column.experiment == "table1-best")
    printed = {column.batch_size: f"{getattr(column, metric):.1f}" for column in paper.TABLE3}
    same = f"{BEST.learning_rate:g}"
    rows = [("without", BEST.batch_size, same, f"{getattr(best, metric):.1f}", best.experiment)]
    for size in BATCH_SIZES:
        rules = {same: False} if size == BEST.batch_size else {"held": False, "scaled": True}
        for rule, scaled in rules.items():
            rows.append(("with", size, rule, printed.get(size, "not printed"), batch_name(size, scaled)))
    columns = ["Batch normalisation", "Batch size", "Learning rate", "Paper, IEMOCAP"]
    table = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    summarised = summary(scored).set_index(["corpus", "experiment"])
    for corpus in CORPORA:
        cells = []
        for *_, experiment in rows:
            cell = _cell(summarised, corpus, experiment, metric, failures)
            some = len(_part(failures, corpus, experiment)) and cell != DIVERGED
            cells.append(f"{cell}, {_diverged(scored, failures, corpus, experiment)} {DIVERGED}" if some else cell)
        table[f"Ours, {TITLES[corpus]}"] = cells
    return table


def variety(measured: pd.DataFrame) -> pd.DataFrame:
    """How alike the gradients of two batches are, by batch size and corpus.

    Args:
        measured: as :func:`ser_lib.variety.load` returns it.

    Returns:
        A row per corpus and experiment, a column per batch size: the mean over speakers with its 95 % interval from
        `MINIMUM_FOLDS` on; a corpus that was not measured has a row that says so.

    Source: Section 3, footnote 4.
    """
    sizes = sorted(measured["batch_size"].unique()) or [NOT_RUN]
    rows = []
    for corpus in CORPORA:
        of_corpus = measured[measured["corpus"] == corpus]
        groups = of_corpus.groupby("experiment") if len(of_corpus) else [("–", of_corpus)]
        for experiment, part in groups:
            row = {"Corpus": TITLES[corpus], "Experiment": experiment, "Speakers": part["fold"].nunique()}
            for size in sizes:
                by_fold = part[part["batch_size"] == size].groupby("fold")["cosine"].mean().to_numpy(dtype=float)
                cell = LICENCE if corpus == "iemocap" else NOT_RUN
                if len(by_fold):
                    low, high = supported_interval(by_fold)
                    cell = f"{by_fold.mean():.2f}" + ("" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]")
                row[f"batches of {size}"] = cell
            rows.append(row)
    return pd.DataFrame(rows)


def protocol_folds(utterances: pd.DataFrame) -> pd.DataFrame:
    """How each protocol divides a corpus.

    Args:
        utterances: the corpus's table, with ``utterance, speaker, gender, session`` and ``emotion``.

    Returns:
        One row per protocol: its experiment, the number of folds, the utterances that train, validate and test (from
        the smallest fold to the largest), and the share of tested utterances whose speaker trains, or validates, in the
        same fold, in per cent.
    """
    speakers, rows = utterances["speaker"].to_numpy(), []
    for experiment, words in PROTOCOLS.items():
        made = folds_of(utterances, EXPERIMENTS[experiment].protocol)
        row = {"Protocol": words, "Folds": len(made)}
        for name, part in (("Train", "train"), ("Validate", "validation"), ("Test", "test")):
            sizes = sorted({len(getattr(fold, part)) for fold in made})
            row[name] = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        for name, part in (("Speaker trains", "train"), ("Speaker validates", "validation")):
            known = sum(np.isin(speakers[fold.test], speakers[getattr(fold, part)]).sum() for fold in made)
            row[f"{name} (% of tests)"] = f"{100 * known / len(utterances):.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def of_shared_seeds(scored: pd.DataFrame, experiments: Iterable[str]) -> pd.DataFrame:
    """The scores of some experiments, of those seeds of a corpus that all of them have that were run on it.

    Args:
        scored: as :func:`scores` or :func:`speaker_scores` return them.
        experiments: their names; one that was not run on a corpus takes no seed from the others, and where no seed is
            shared, all count.
    """
    chosen = scored[scored["experiment"].isin(list(experiments))]
    parts = []
    for _, part in chosen.groupby("corpus", sort=False):
        shared = set.intersection(*part.groupby("experiment")["seed"].agg(set))
        parts.append(part[part["seed"].isin(shared)] if shared else part)
    return pd.concat(parts) if parts else chosen


def protocol_table(scored: pd.DataFrame, runs: pd.DataFrame, failures: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """The scores of speakers under each protocol, on one corpus.

    Args:
        scored: as :func:`speaker_scores` returns them.
        runs: every run, with ``corpus, experiment, fold`` and ``seed``.
        failures: runs whose loss did not stay finite.
        corpus: whose runs to show.

    Returns:
        One row per experiment of `PROTOCOLS`: what it does, its name, the runs behind the row, ``Speakers × seeds``,
        and UA and WA in per cent, means over speakers with 95 % interval from `MINIMUM_FOLDS` speakers on. Seeds are
        those that all protocols have (:func:`of_shared_seeds`). Where runs are there but no speaker is tested whole
        yet, the row says so.

    Source: Section 3, first paragraph.
    """
    chosen = of_shared_seeds(scored[scored["corpus"] == corpus], PROTOCOLS)
    summarised = summary(chosen).set_index("experiment")
    rows = []
    for experiment, words in PROTOCOLS.items():
        row = {"Protocol": words, "Experiment": experiment}
        own = _part(runs, corpus, experiment)
        if experiment in summarised.index:
            of = summarised.loc[experiment]
            seeds = balanced(_part(chosen, corpus, experiment))["seed"].unique()
            row |= {
                "Runs": int(own["seed"].isin(seeds).sum()),
                "Speakers × seeds": f"{of['folds']} × {of['seeds']}",
                "UA (%)": with_interval(of["ua"], of["ua_low"], of["ua_high"]),
                "WA (%)": with_interval(of["wa"], of["wa_low"], of["wa_high"]),
            }
        else:
            words = "no speaker whole yet" if len(own) else absence(failures, corpus, experiment)
            row |= {"Runs": len(own), "Speakers × seeds": "–", "UA (%)": words, "WA (%)": words}
        rows.append(row)
    return pd.DataFrame(rows)


def chosen_against_tested(scored: pd.DataFrame, validation: pd.DataFrame, failures: pd.DataFrame) -> pd.DataFrame:
    """The UA by which the epoch was chosen, beside the UA of the test part at that epoch, by corpus and protocol.

    Args:
        scored: of every run, as :func:`scores` returns them.
        validation: of the same runs, as :func:`validation_scores` returns them.
        failures: runs whose loss did not stay finite.

    Returns:
        One row per corpus that has a run and experiment of `PROTOCOLS`: runs (of the seeds that all of them have), both
        UA in per cent (means over folds, seeds averaged first), and the first less the second in points, with 95 %
        interval from `MINIMUM_FOLDS` folds on that share no test speaker. A corpus without runs has one row that says
        so.

    Source: Section 3, first paragraph (the validation speaker; the paper prints no score of theirs).
    """
    columns = ["Corpus", "Protocol", "Runs", "UA, validation (%)", "UA, test (%)", "Difference (points)"]
    scored = of_shared_seeds(scored, PROTOCOLS)
    both = scored.merge(validation[[*RUN, "ua"]], on=RUN, suffixes=("", "_validation"), validate="one_to_one")
    rows = []
    for corpus in CORPORA:
        if corpus not in set(both["corpus"]):
            missing = absence(failures, corpus, "table1-baseline")
            rows.append(dict.fromkeys(columns, missing) | {"Corpus": TITLES[corpus], "Protocol": "all"})
            continue
        for experiment, words in PROTOCOLS.items():
            part = balanced(_part(both, corpus, experiment))
            row = {"Corpus": TITLES[corpus], "Protocol": words, "Runs": len(part)}
            if part.empty:
                row |= dict.fromkeys(columns[3:], absence(failures, corpus, experiment))
            else:
                means = 100 * part.groupby("fold")[["ua_validation", "ua"]].mean()
                # Kept with six digits: what is the same must not differ by the last of them.
                points = (means["ua_validation"] - means["ua"]).round(3).to_numpy()
                apart = not _share_speakers(part)
                row |= {
                    columns[3]: f"{means['ua_validation'].mean():.1f}",
                    columns[4]: f"{means['ua'].mean():.1f}",
                    columns[5]: points_with_interval(points) if apart else f"{points.mean():+.1f}",
                }
            rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def five_against_ten(scored: pd.DataFrame, corpora: Iterable[str]) -> pd.DataFrame:
    """One fold per session against one per speaker, and what the choice of a session's test speaker is worth.

    Args:
        scored: of every run, as :func:`scores` returns them.
        corpora: those to show beside the paper's Table 2.

    Returns:
        One row per way to average: UA in per cent, the paper's of Table 2 (its best model), and that of the baseline on
        each corpus. The three rows of chosen speakers are over all choices of one test speaker per session (footnote
        3): the lowest mean, the standard deviation over choices that are equally likely, and the highest mean.

    Source: Section 3, first paragraph, footnotes 1 and 3; Table 2.
    """
    pair = ("table1-baseline", "protocol-sessions")
    scored = of_shared_seeds(scored, pair)
    names = ["one fold per speaker", "one fold per session, both of its speakers test"]
    names += [f"one speaker per session tests, {of}" for of in ("lowest", "standard deviation", "highest")]
    table = {"Average": names}
    printed = paper.table2().set_index("fold")["ua"] / 100
    table["Paper, Table 2 (IEMOCAP)"] = _five_and_ten(printed, printed.iloc[:0], "not printed")
    for corpus in corpora:
        papers, sessions = (balanced(_part(scored, corpus, name)).groupby("fold")["ua"].mean() for name in pair)
        table[f"Ours, {TITLES[corpus]}"] = _five_and_ten(papers, sessions, absence(_NO_FAILURES, corpus, pair[0]))
    return pd.DataFrame(table)


def _five_and_ten(by_speaker: pd.Series, by_session: pd.Series, missing: str) -> list[str]:
    """UA by fold -> the cells of :func:`five_against_ten`.

    Args:
        by_speaker: of folds that each test a speaker, in [0, 1], indexed by their numbers: two of each session.
        by_session: of folds that each test a session; any of the two may be empty.
        missing: what to say then.
    """
    means = [
        f"{100 * ua.mean():.1f} ({counted(len(ua), 'fold')})" if len(ua) else missing for ua in (by_speaker, by_session)
    ]
    if by_speaker.empty:
        return [*means, missing, missing, missing]
    if len(by_speaker) % 2 or list(by_speaker.index) != list(range(1, len(by_speaker) + 1)):
        return [*means, *["not every speaker yet"] * 3]
    pairs = by_speaker.to_numpy().reshape(-1, 2)
    # A choice is a fair coin for each session: variances of half the differences add up.
    deviation = np.sqrt(np.square(np.diff(pairs) / 2).sum()) / len(pairs)
    return [*means, *(f"{100 * ua:.1f}" for ua in (pairs.min(axis=1).mean(), deviation, pairs.max(axis=1).mean()))]


def transfer_scores(counts: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of each target speaker, by networks that were trained on another corpus.

    Args:
        counts: as :func:`ser_lib.transfer.load` returns them.

    Returns:
        One row per source, experiment, target, normalisation and target speaker: those five, ``runs`` (of the source),
        and ``wa`` and ``ua`` in [0, 1], means over these runs.
    """
    keys = ["source", "experiment", "target", "normalisation", "speaker"]
    each = counts.loc[counts.index.repeat(counts["count"].astype(int))]
    by_run = _accuracies(each, [*keys, "fold", "seed"])
    return by_run.groupby(keys).agg(runs=("ua", "size"), wa=("wa", "mean"), ua=("ua", "mean")).reset_index()


def transfer_table(counts: pd.DataFrame, scored: pd.DataFrame, experiment: str, metric: str = "ua") -> pd.DataFrame:
    """Networks of each corpus, tested on each corpus: a row per source and normalisation, a column per target.

    Args:
        counts: as :func:`ser_lib.transfer.load` returns them.
        scored: as :func:`scores` returns them, for the scores within a corpus.
        experiment: whose networks.
        metric: ``wa`` or ``ua``.

    Returns:
        Per cent, mean over the target's speakers (the source's runs averaged first) with 95 % interval from
        `MINIMUM_FOLDS` speakers on. Where source and target are one corpus, the test score of its own runs, in which
        no speaker is tested by a network that knows the speaker.
    """
    by_speaker = transfer_scores(counts[counts["experiment"] == experiment])
    within = summary(scored[scored["experiment"] == experiment]).set_index(["corpus", "experiment"])
    rows = []
    for source in CORPORA:
        for normalisation, words in transfer.NORMALISATIONS.items():
            row = {"Trained on": TITLES[source], "Statistics of eq. 2": words}
            for target in CORPORA:
                chosen = dict(source=source, target=target, normalisation=normalisation)
                part = by_speaker[np.logical_and.reduce([by_speaker[name] == value for name, value in chosen.items()])]
                if source == target:
                    cell = _cell(within, source, experiment, metric)
                    cell = f"within: {cell}" if (source, experiment) in within.index else cell
                elif len(part):
                    cell = _percent(part[metric].mean(), *supported_interval(part[metric]), len(part), "speaker")
                else:
                    cell = LICENCE if "iemocap" in (source, target) else NOT_RUN
                row[f"Tested on {TITLES[target]}"] = cell
            rows.append(row)
    return pd.DataFrame(rows)


def predictions_of(predictions: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The test predictions of some experiments, or of families of them, as they were collected.

    Args:
        predictions: those of all runs.
        names: experiments or families.

    Raises:
        SerError: a name is unknown.
    """
    chosen = {member for name in names for member in members(name)}
    return predictions[predictions["experiment"].isin(chosen)]


def baseline_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every baseline on every fold.

    Args:
        predictions: as :func:`ser_lib.baselines.load` returns them.

    Returns:
        As :func:`scores`; under ``experiment`` the names of :func:`baseline_variants`, under ``seed`` 0.
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


def baselines_table(scored: pd.DataFrame, predictions: pd.DataFrame, runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The baselines and the network on the same folds, by corpus, for one metric.

    Args:
        scored: of the network, as :func:`scores` returns them.
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
    _refuse_other_corpus(predictions, runs)
    summarised = summary(pd.concat([scored, baseline_scores(predictions)])).set_index(["corpus", "experiment"])
    rows = []
    for experiment, (title, normalisation) in (baseline_variants() | _networks()).items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            row[TITLES[corpus]] = _cell(summarised, corpus, experiment, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def network_over_baselines(
    scored: pd.DataFrame, predictions: pd.DataFrame, runs: pd.DataFrame, experiment: str, metric: str
) -> pd.DataFrame:
    """The network's score less that of each baseline, paired by test speaker, by corpus.

    Args:
        scored: of the network, as :func:`scores` returns them.
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
    _refuse_other_corpus(predictions, runs)
    of_baselines = baseline_scores(predictions)
    rows = []
    for name, (title, normalisation) in baseline_variants().items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            network, baseline = (
                balanced(_part(part, corpus, of)).groupby(["fold", "test_speaker"])[metric].mean()
                for part, of in ((scored, experiment), (of_baselines, name))
            )
            points = 100 * (network - baseline).dropna().to_numpy(dtype=float)
            missing = NOTHING_SHARED if len(network) and len(baseline) else absence(_NO_FAILURES, corpus, name)
            row[TITLES[corpus]] = points_with_interval(points) if len(points) else missing
        rows.append(row)
    return pd.DataFrame(rows)


def _refuse_other_corpus(predictions: pd.DataFrame, runs: pd.DataFrame) -> None:
    """Refuse baselines of another version of a corpus than the runs: they would be paired, of unlike utterances."""
    for corpus in sorted(set(predictions["corpus"]) & set(runs["corpus"])):
        fitted, run = (
            sorted(set(table.loc[table["corpus"] == corpus, "fingerprint"])) for table in (predictions, runs)
        )
        if fitted != run:
            raise SerError(
                f"{corpus}: the baselines are of the version {', '.join(fitted)} of the corpus, the runs of "
                f"{', '.join(run)}: fit the baselines again (python -m ser_lib baselines --corpus {corpus})"
            )


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
            counts = _part(by_fold, corpus, name)["C"].value_counts().sort_index()
            found = ", ".join(f"{strength:g} ({folds})" for strength, folds in counts.items())
            row[TITLES[corpus]] = found or absence(_NO_FAILURES, corpus, name)
        rows.append(row)
    return pd.DataFrame(rows)


def depth_scores(scored: pd.DataFrame, corpus: str, metric: str) -> pd.DataFrame:
    """Mean score of each network of the depth study, all of them over the same runs.

    Args:
        scored: as :func:`scores` or :func:`validation_scores` return them.
        corpus: whose runs to show.
        metric: ``wa`` or ``ua``.

    Returns:
        A row per number of convolutions, a column per number of Bi-LSTM layers; means in [0, 1] over the runs that all
        networks have in common (:func:`in_common`), seeds averaged first; NaN where a network was not run.
        ``attrs`` holds ``corpus``, ``metric``, and the ``folds`` and ``seeds`` in common.

    Source: Section 3 ("architectures with 1-6 convolutional layers, 1-4 Bi-LSTM layers").
    """
    places = {depth_name(convolutions, layers): (convolutions, layers) for convolutions, layers in _grid()}
    run = [name for name in places if len(_part(scored, corpus, name))]
    rows, columns = pd.Index(CONVOLUTIONS, name="convolutions"), pd.Index(LAYERS, name="layers")
    table = pd.DataFrame(np.nan, index=rows, columns=columns)
    shared = []
    for name, part in zip(run, in_common(scored, corpus, run), strict=True):
        table.loc[places[name]] = part.groupby(level="fold")[metric].mean().mean()
        shared = list(part.index)
    folds, seeds = (tuple(sorted(set(values))) for values in zip(*shared, strict=True)) if shared else ((), ())
    table.attrs |= {"corpus": corpus, "metric": metric, "folds": folds, "seeds": seeds}
    return table


def depth_costs(frames: int = 108) -> pd.DataFrame:
    """What each network of the depth study costs, and how much of the spectrogram its convolutions see.

    Args:
        frames: length of the utterance; the default is the median of IEMOCAP's improvised part.

    Returns:
        One row per network: ``convolutions``, ``layers``, ``parameters``, ``multiply_adds`` of one utterance, and the
        receptive field of the convolutions, ``field_bins`` and ``field_frames``.

    Source: Section 3 (the paper states no cost).
    """
    rows = []
    for convolutions, layers in _grid():
        experiment = EXPERIMENTS[depth_name(convolutions, layers)]
        with torch.device("meta"):  # shapes only: no weights are drawn, and no random number is used up
            total = model.describe(training.build_model(experiment), frames).iloc[-1]
        field = model.receptive_field(experiment.kernels, experiment.strides)
        rows.append((convolutions, layers, total["parameters"], total["multiply_adds"], *field))
    columns = ["convolutions", "layers", "parameters", "multiply_adds", "field_bins", "field_frames"]
    return pd.DataFrame(rows, columns=columns)


def best_of(scored: pd.DataFrame, corpus: str, experiment: str, metric: str) -> pd.DataFrame:
    """What showing only the best of k runs adds to the score: exact, over every choice of k of the seeds.

    Args:
        scored: as :func:`scores` or :func:`validation_scores` return them.
        corpus, experiment: whose seeds to choose from: those that every fold has (:func:`balanced`). A seed's score is
            its mean over the folds.
        metric: ``wa`` or ``ua``.

    Returns:
        One row per ``k`` from 1 to the number of seeds: ``expected_best``, the mean over all choices of k seeds of the
        highest score, and ``rise``, how far it lies above k = 1; both in [0, 1]. Empty below two seeds. ``attrs``
        holds the ``folds``.

    Source: Tables 1 and 3 ("for each experiment we present the results corresponding to its best run").
    """
    by_seed = balanced(_part(scored, corpus, experiment)).pivot(index="fold", columns="seed", values=metric).dropna()
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


def convergence(
    histories: pd.DataFrame, pairs: Mapping[str, tuple[str, str]], threshold: float = math.log(len(EMOTIONS)) / 2
) -> pd.DataFrame:
    """How soon networks with and without normalisation of the input learn, and how far they overfit.

    Args:
        histories: every epoch of the runs of one corpus, with ``training_loss`` and ``validation_loss``.
        pairs: name of a network -> the experiment with, and the one without.
        threshold: training loss in nats; the default is half of what guessing gives, ln 4 / 2.

    Returns:
        Two rows per network: means over the folds and seeds that both have run of the first epoch whose training loss
        is below the threshold (and how many runs never came there), of the lowest validation loss, and of the rise of
        the validation loss from there to the last epoch.

    Source: Section 3, eq. 2 ("significantly improves the convergence time", "strong overfitting"). The measures are
    ours: the paper names none.
    """
    columns = ["Runs", f"Epochs to a training loss of {threshold:.2f}", "Lowest validation loss", "Rise from there"]
    rows = []
    for network, pair in pairs.items():
        runs = [dict(list(histories[histories["experiment"] == name].groupby(["fold", "seed"]))) for name in pair]
        shared = sorted(set(runs[0]) & set(runs[1]))
        for words, of in zip(("with", "without"), runs, strict=True):
            parts = [of[run].sort_values("epoch") for run in shared]
            values = [len(shared), *_learning(parts, threshold)] if parts else [NOT_RUN] * len(columns)
            rows.append({"Network": network, "Normalisation": words} | dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=["Network", "Normalisation", *columns])


def _learning(histories: list[pd.DataFrame], threshold: float) -> tuple[str, str, str]:
    """First epoch below the threshold, lowest validation loss and rise from there, each a mean over some runs."""
    first = [history.loc[history["training_loss"] <= threshold, "epoch"].min() for history in histories]
    never = int(np.isnan(first).sum())
    losses = [history["validation_loss"].to_numpy(dtype=float) for history in histories]
    lowest = np.array([loss.min() for loss in losses])
    rise = np.array([loss[-1] for loss in losses]) - lowest
    epochs = "never" if never == len(first) else f"{np.nanmean(first):.1f}"
    if 0 < never < len(first):
        epochs += f" (never in {never} of {len(first)})"
    return epochs, f"{lowest.mean():.2f}", f"{rise.mean():+.2f}"


def corpus_summary(manifests: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """Utterances, speakers, emotions and lengths of each corpus; "not run yet" where no table of utterances is kept."""
    rows = []
    for corpus, manifest in manifests.items():
        row = {"Corpus": TITLES[corpus]}
        if manifest is None:
            rows.append(row)
            continue
        counts = manifest["emotion"].value_counts()
        row |= {"Utterances": len(manifest), "Speakers": manifest["speaker"].nunique()}
        row |= {emotion.capitalize(): counts.get(emotion, 0) for emotion in EMOTIONS}
        frames = frame_counts(manifest["duration"])
        row |= {"Minutes": f"{manifest['duration'].sum() / 60:.1f}", "Frames": f"{frames.min()} to {frames.max()}"}
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOT_RUN)


def run_summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Where the runs of each corpus and experiment come from: how many, code, hardware, PyTorch, time, memory."""
    rows = []
    for (corpus, experiment), part in runs.groupby(["corpus", "experiment"], sort=True):
        rows.append(
            {
                "Corpus": TITLES[corpus],
                "Experiment": experiment,
                "Configuration": ", ".join(sorted(part["configuration"].unique())),
                "Runs": len(part),
                "Seeds": part["seed"].nunique(),
                "Code": ", ".join(sorted(part["code"].unique())),
                "Hardware": ", ".join(sorted(part["hardware"].unique())),
                "PyTorch": ", ".join(sorted(part["torch"].astype(str).unique())),
                "Median seconds": f"{part['seconds'].median():.0f}",
                "Peak MiB": f"{part['peak_memory_mib'].max():.0f}",
            }
        )
    return pd.DataFrame(rows)


def repeats_shown(repeats: pd.DataFrame) -> pd.DataFrame:
    """Collected runs that were made again, and what came out; from :func:`ser_lib.records.load_repeats`."""
    by = "{}, {}, {}, torch {}".format
    rows = [
        {
            "Corpus": TITLES[row.corpus],
            "Experiment": row.experiment,
            "Fold": row.fold,
            "Seed": row.seed,
            "Collected from": by(row.code_before, row.hardware_before, row.device_before, row.torch_before),
            "Made again by": by(row.code, row.hardware, row.device, row.torch),
            "Same digits": "yes" if row.same else "no",
            "Best epoch": row.best_epoch if row.same else f"{row.best_epoch_before}, then {row.best_epoch}",
            "Other predictions": f"{row.other_predictions} of {row.utterances}",
            "Largest difference of a probability": f"{row.largest_difference:.2g}",
        }
        for row in repeats.itertuples()
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Made again": [NOT_RUN]})


def agreement(repeats: pd.DataFrame) -> pd.DataFrame:
    """How far scores are from those collected where runs were made again on other hardware.

    Args:
        repeats: as :func:`ser_lib.records.load_repeats` returns them.

    Returns:
        One row per corpus, hardware before and hardware after, each with its PyTorch: runs and folds, the share of test
        utterances with the same prediction, mean UA of both and the difference in percentage points, with a 95 %
        interval over folds from `MINIMUM_FOLDS` on, and its standard deviation between folds. Repetitions on the same
        hardware are left out, and those whose accuracies were not kept.
    """
    other = repeats[(repeats["hardware"] != repeats["hardware_before"]) & repeats["ua"].notna()]
    # By whichever code it was made again, a run is one on each kind of hardware.
    other = other.drop_duplicates([*RUN, "hardware", "torch"], keep="last")
    rows = []
    kinds = ["hardware_before", "torch_before", "hardware", "torch"]
    for (corpus, before, torch_before, after, torch_after), part in other.groupby(["corpus", *kinds], sort=False):
        by_fold = part.groupby("fold")[["ua_before", "ua"]].mean()
        points = 100 * (by_fold["ua"] - by_fold["ua_before"]).to_numpy()
        same = 1 - part["other_predictions"].sum() / part["utterances"].sum()
        rows.append(
            {
                "Corpus": TITLES[corpus],
                "Collected on": f"{before}, torch {torch_before}",
                "Made again on": f"{after}, torch {torch_after}",
                "Runs": len(part),
                "Folds": len(by_fold),
                "Same prediction (%)": f"{100 * same:.1f}",
                "UA before (%)": f"{100 * by_fold['ua_before'].mean():.1f}",
                "UA again (%)": f"{100 * by_fold['ua'].mean():.1f}",
                "Difference": points_with_interval(points),
                "sd of folds": f"{points.std(ddof=1):.1f}" if len(points) > 1 else "–",
            }
        )
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Made again on": [NOT_RUN]})


def provenance(runs: pd.DataFrame, *names: str, corpora: Iterable[str] = CORPORA) -> str:
    """One line on the runs behind a table or figure: how many, of how many speakers and seeds, which code and hardware.

    Args:
        runs: every run, with ``corpus, experiment, fold, seed, code`` and ``hardware``; rows of one run count once.
        names: experiments, or families of them, that the table shows; without any, all that are in ``runs``.
        corpora: those that it shows, and no others; IEMOCAP is named once it was run.

    Returns:
        Such as "Emo-DB: 40 runs (4 experiments × 10 speakers × 1 seed). RAVDESS, nEMO: not run yet. Code 94ff327e532e;
        AMD EPYC, 2 cores." Where experiments have not as many speakers, or these not as many seeds: "2 to 3 seeds".

    Raises:
        SerError: a name is unknown.
    """
    wanted = {member for name in names for member in members(name)} or set(runs["experiment"])
    shown = list(corpora)
    part = runs[runs["experiment"].isin(wanted) & runs["corpus"].isin(shown)].drop_duplicates(RUN)
    found = [corpus for corpus in shown if corpus in set(part["corpus"])]
    missing = [TITLES[corpus] for corpus in shown if corpus not in found and corpus != "iemocap"]
    sentences = [f"{TITLES[corpus]}: {_extent(part[part['corpus'] == corpus], len(wanted))}" for corpus in found]
    sentences += [f"{', '.join(missing)}: {NOT_RUN}"] if missing else []
    if "notes" in part and len(departing := part[part["notes"].fillna("") != ""]):
        sentences.append(f"Not the paper's selection: {_listed(departing['notes'], '; ')}".rstrip("."))
    if found:
        sentences.append(f"Code {_listed(part['code'], ', ')}; {_listed(part['hardware'], '; ')}")
    return ". ".join(sentences) + "."


def corpora_with(runs: pd.DataFrame, *names: str) -> list[str]:
    """The corpora on which some of these experiments were run, in the order of the pages.

    Args:
        runs: every run, with ``corpus`` and ``experiment``.
        names: experiments, or families of them, of which only those count that it compares with another.

    Returns:
        Their names; where there is none, the first corpus, of which a page can then say that it was not run.

    Raises:
        SerError: a name is unknown.
    """
    wanted = set()
    for name in names:
        wanted |= set(FAMILIES[name].references if name in FAMILIES else members(name))
    found = set(runs.loc[runs["experiment"].isin(wanted), "corpus"])
    return [corpus for corpus in CORPORA if corpus in found] or [CORPORA[0]]


def _extent(runs: pd.DataFrame, wanted: int) -> str:
    """How many runs of one corpus: 40 runs (4 experiments × 10 speakers × 1 seed)."""
    experiments = runs["experiment"].nunique()
    of = f"{experiments} of {counted(wanted, 'experiment')}" if experiments < wanted else counted(wanted, "experiment")
    of = "" if wanted == 1 else f"{of} × "
    fold = "speaker" if runs["experiment"].map(tests_one_speaker).all() else "fold"
    folds = _counted_range(runs.groupby("experiment")["fold"].nunique(), fold)
    seeds = _counted_range(runs.groupby(["experiment", "fold"])["seed"].nunique(), "seed")
    return f"{counted(len(runs), 'run')} ({of}{folds} × {seeds})"


def _counted_range(numbers: pd.Series, noun: str) -> str:
    """8 to 24 speakers; or 24 speakers, where all are as many."""
    least, most = numbers.min(), numbers.max()
    return counted(most, noun) if least == most else f"{least} to {counted(most, noun)}"


def _listed(values: pd.Series, separator: str, most: int = 3) -> str:
    """The distinct values in order, as many as are read at a glance."""
    distinct = sorted(values.dropna().astype(str).unique())
    more = [f"{len(distinct) - most} more"] if len(distinct) > most else []
    return separator.join([*distinct[:most], *more])


def family_of(experiment: str) -> str:
    """The family that an experiment belongs to: the first that compares it with another, else the first that needs it.

    Args:
        experiment: its name; `NO_FAMILY` if no family holds it.
    """
    compares = (name for name, family in FAMILIES.items() if experiment in family.references)
    holds = (name for name, family in FAMILIES.items() if experiment in family.experiments)
    return next(itertools.chain(compares, holds), NO_FAMILY)


def costs(runs: pd.DataFrame, by: Iterable[str] = ("corpus", "experiment", "hardware")) -> pd.DataFrame:
    """What runs took, by corpus and whatever else is asked for.

    Args:
        runs: as in :class:`ser_lib.records.Results`.
        by: ``corpus``, and any of ``family`` (see :func:`family_of`), ``experiment`` and ``hardware``.

    Returns:
        One row per group: its runs, the median and the longest of their wall clock seconds, the median over runs of
        their seconds per epoch, the highest peak memory in MiB, and hours in all. A corpus without any run has a row
        that says so.

    Source: none in the paper, which states no cost.
    """
    by = list(by)
    families = [*FAMILIES, NO_FAMILY]
    keyed = runs.assign(
        corpus=pd.Categorical(runs["corpus"], list(TITLES)),
        family=pd.Categorical(runs["experiment"].map(family_of), families),
    )
    rows = []
    for key, part in keyed.groupby(by, observed=True):
        rows.append(
            {column.capitalize(): value for column, value in zip(by, key, strict=True)}
            | {
                "Corpus": TITLES[key[by.index("corpus")]],
                "Runs": len(part),
                "Median (s)": _seconds(part["seconds"].median()),
                "Longest (s)": _seconds(part["seconds"].max()),
                "Epoch (s)": f"{(part['seconds'] / part['epochs']).median():.2f}",
                "Peak (MiB)": f"{part['peak_memory_mib'].max():,.0f}",
                "In all (h)": f"{part['seconds'].sum() / 3600:.2f}",
            }
        )
    columns = [column.capitalize() for column in by]
    columns += ["Runs", "Median (s)", "Longest (s)", "Epoch (s)", "Peak (MiB)", "In all (h)"]
    for corpus in CORPORA:
        if corpus not in set(runs["corpus"]):
            rows.append(dict.fromkeys(columns, absence(_NO_FAILURES, corpus, "")) | {"Corpus": TITLES[corpus]})
    return pd.DataFrame(rows, columns=columns)


def energy(runs: pd.DataFrame, by: Iterable[str] = ("corpus", "experiment", "hardware", "device")) -> pd.DataFrame:
    """The energy of the runs of which it was read; see :mod:`ser_lib.energy` for what is in it.

    Args:
        runs: as in :class:`ser_lib.records.Results`.
        by: columns of ``runs``, ``corpus`` among them.

    Returns:
        One row per group: how many of its runs were read, the median and the highest of their energy in kJ, and the sum
        in kWh. A group of which none was read has no row.

    Source: none in the paper, which states no energy.
    """
    by = list(by)
    rows = []
    for key, part in runs.groupby(by):
        joules = part["energy_joules"].dropna()
        if len(joules):
            group = dict(zip(by, key, strict=True))
            rows.append(
                {column.capitalize(): value for column, value in group.items()}
                | {
                    "Corpus": TITLES[group["corpus"]],
                    "Read": f"{len(joules)} of {counted(len(part), 'run')}",
                    "Median (kJ)": f"{joules.median() / 1e3:,.2f}",
                    "Highest (kJ)": f"{joules.max() / 1e3:,.2f}",
                    "Sum (kWh)": f"{joules.sum() / 3.6e6:,.3f}",
                }
            )
    columns = [*(column.capitalize() for column in by), "Read", "Median (kJ)", "Highest (kJ)", "Sum (kWh)"]
    return pd.DataFrame(rows, columns=columns)


def energy_read(runs: pd.DataFrame) -> str:
    """Of how many runs the energy was read, in a sentence."""
    if not runs["energy_joules"].notna().any():
        return f"No run's energy could be read ({counted(len(runs), 'run')})."
    return f"The energy of {runs['energy_joules'].count()} of {counted(len(runs), 'run')} was read."


def study_by_corpus(estimates: pd.DataFrame, utterances: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What the whole study takes on each corpus, one run at a time.

    Args:
        estimates: as :func:`ser_lib.study.estimates` returns them.
        utterances: corpus -> its table of utterances, in the order of the rows.

    Returns:
        One row per corpus and kind of hardware: utterances, minutes of speech, runs, hours ("at least" where some
        experiments were never measured), the highest peak memory, and from which corpus's runs how many experiments
        were estimated. An open corpus of which no table is kept has a row that says so.
    """
    columns = ["Utterances", "Speech (min)", "Runs", "Hours", "Peak (GiB)", "Estimated from runs on", "Hardware"]
    rows = []
    for corpus in CORPORA:
        if corpus not in utterances:
            rows.append({"Corpus": TITLES[corpus]} | dict.fromkeys(columns, NOT_RUN))
            continue
        table = utterances[corpus]
        for hardware, part in estimates[estimates["corpus"] == corpus].groupby("hardware"):
            peak = part["memory_mib"].max() / 1024
            values = [
                f"{len(table):,}", f"{table['duration'].sum() / 60:.0f}", f"{len(part):,}", _hours(part),
                NOT_RUN if np.isnan(peak) else f"{peak:.1f}", _bases(part), hardware or NOT_RUN,
            ]  # fmt: skip
            rows.append({"Corpus": TITLES[corpus]} | dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=["Corpus", *columns])


def study_by_stage(estimates: pd.DataFrame) -> pd.DataFrame:
    """What each stage of the study takes on each corpus, one run at a time.

    Args:
        estimates: as :func:`ser_lib.study.estimates` returns them.

    Returns:
        One row per stage and kind of hardware: the stage, what it decides, runs and hours on each corpus, and the
        hardware.
    """
    rows = []
    for (hardware, stage), part in estimates.groupby(["hardware", "stage"], sort=False):
        row = {"Stage": stage, "Decides": part["decides"].iloc[0]}
        for corpus, of_corpus in part.groupby("corpus", sort=False):
            hours = _hours(of_corpus)
            row[TITLES[corpus]] = f"{len(of_corpus):,} runs, {hours}" + ("" if hours == NOT_RUN else " h")
        rows.append(row | {"Hardware": hardware or NOT_RUN})
    return pd.DataFrame(rows)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:,.0f}"


def _hours(estimates: pd.DataFrame) -> str:
    """Hours of some planned runs in all; "at least" where some of them could not be estimated."""
    known = estimates["seconds"].dropna()
    if known.empty:
        return NOT_RUN
    return ("at least " if len(known) < len(estimates) else "") + f"{known.sum() / 3600:,.1f}"


def _bases(estimates: pd.DataFrame) -> str:
    """From which corpus how many experiments were estimated: Emo-DB (85 experiments), not run yet (2 experiments)."""
    sources = estimates.drop_duplicates("experiment")["source"].map(TITLES)
    counts = {**sources.value_counts().to_dict(), NOT_RUN: sources.isna().sum()}
    return ", ".join(f"{source} ({counted(count, 'experiment')})" for source, count in counts.items() if count)


def settings_table(experiment: Experiment) -> pd.DataFrame:
    """Every setting: what it means, what the paper says, the value here, and why."""
    return pd.DataFrame(
        [
            {
                "Setting": name,
                "Meaning": field.description,
                "Paper": field.json_schema_extra["paper"],
                "Here": _value(getattr(experiment, name)),
                "Why": field.json_schema_extra["reason"],
            }
            for name, field in Experiment.model_fields.items()
        ]
    )


def experiments_table(experiments: Mapping[str, Experiment]) -> pd.DataFrame:
    """The settings in which experiments differ from the first of them, and the digest of each configuration."""
    first, *_ = experiments.values()
    rows = []
    for name, experiment in experiments.items():
        changed = [
            f"{key}={_value(value)}" for key, value in experiment.model_dump().items() if value != getattr(first, key)
        ]
        rows.append({"Experiment": name, "Settings": ", ".join(changed) or "–", "Configuration": experiment.digest})
    return pd.DataFrame(rows)


def _value(value: object) -> str:
    return json.dumps(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class Cell:
    """A cell of a shown table: its text; optionally a CSS class, where it links to, a name to link to, and a note."""

    text: str
    css: str = ""
    href: str = ""
    anchor: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.note}" if self.note else self.text


@dataclass(frozen=True)
class Shown:
    """A table as pages and notebooks show it: caption, no index, and the table as CSV; the same on every machine."""

    frame: pd.DataFrame
    caption: str
    classes: Mapping[str, str] = field(default_factory=dict)
    """Cell text -> CSS class of that cell."""
    source: str = ""
    """The runs behind it, said below; see :func:`provenance`."""

    def __repr__(self) -> str:
        text = f"{self.caption}\n{self.frame.to_string(index=False)}"
        return f"{text}\n{self.source}" if self.source else text

    def _repr_html_(self) -> str:
        def cell(value: object) -> str:
            described = value if isinstance(value, Cell) else Cell(str(value), self.classes.get(str(value), ""))
            content = html.escape(described.text)
            if described.href:
                content = f'<a href="{html.escape(described.href)}">{content}</a>'
            if described.css:
                content = f'<span class="{described.css}">{content}</span>'
            if described.note:
                content += f"<br>{html.escape(described.note)}"
            name = f' id="{html.escape(described.anchor)}"' if described.anchor else ""
            words = re.search(r"[^\W\d_]{2}", described.text)  # numbers line up on the right, words on the left
            return f'<td{name} class="words">{content}</td>' if words else f"<td{name}>{content}</td>"

        head = "".join(f'<th scope="col">{html.escape(str(column))}</th>' for column in self.frame.columns)
        body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in self.frame.itertuples(index=False))
        return (
            f'<div class="shown-table"><table class="dataframe table"><caption>{html.escape(self.caption)} '
            f"{download(self.frame, self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{_source(self.source)}</div>"
        )


@dataclass(frozen=True)
class Source:
    """The runs behind a figure, as pages say it below; see :func:`provenance`."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _source(self.text)


def _source(text: str) -> str:
    return f'<p class="source">{html.escape(text)}</p>' if text else ""


def download(frame: pd.DataFrame, name: str, text: str = "CSV", packed: bool = False) -> str:
    """A link, in HTML, that holds a table as CSV; no other file is needed.

    Args:
        frame: the table; its index is left out.
        name: from which the file's name is made.
        text: what the link says.
        packed: whether the CSV is compressed (gzip, which pandas and R read as it is): the page grows with it.
    """
    file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") + ".csv"
    content, kind = frame.to_csv(index=False).encode(), "text/csv"
    if packed:
        file, content, kind = f"{file}.gz", gzip.compress(content, mtime=0), "application/gzip"
    data = base64.b64encode(content).decode()
    return f'<a class="csv" download="{file}" href="data:{kind};base64,{data}">{html.escape(text)}</a>'


@dataclass(frozen=True)
class Downloads:
    """Tables that can be downloaded from a page, as compressed CSV: what each is -> the table."""

    frames: Mapping[str, pd.DataFrame]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {counted(len(frame), 'row')}" for name, frame in self.frames.items())

    def _repr_html_(self) -> str:
        items = (
            f"<li>{download(frame, name, name, packed=True)} ({counted(len(frame), 'row')}, csv.gz)</li>"
            for name, frame in self.frames.items()
        )
        return f"<ul>{''.join(items)}</ul>"


def readme_tables(scored: pd.DataFrame) -> str:
    """The results in README.md: Table 1 as Markdown, one table per metric."""
    parts = []
    for metric, title in (("ua", "Unweighted accuracy"), ("wa", "Weighted accuracy")):
        table = table1(scored, metric)
        lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
        parts.append(f"{title}, percent:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def update_readme(scored: pd.DataFrame, readme: Path | None = None) -> None:
    """Write the table of results anew, between the two marks in README.md.

    Raises:
        SerError: the marks are missing.
    """
    readme = readme or paths.PROJECT / "README.md"
    pattern = re.compile(r"(<!-- results:start -->\n).*?(<!-- results:end -->)", re.DOTALL)
    text, found = pattern.subn(lambda marks: f"{marks[1]}{readme_tables(scored)}\n{marks[2]}", readme.read_text())
    if found != 1:
        raise SerError(f"{readme} has no marks <!-- results:start --> and <!-- results:end --> to write between")
    readme.write_text(text)


def _networks() -> dict[str, tuple[str, str]]:
    """The experiments of `NETWORKS`, with what their spectrograms are normalised by (eq. 2)."""
    by = {"dataset": "whole dataset (eq. 2)", "training": baselines.NORMALISATIONS["training"], "none": "none"}
    return {name: (title, by[EXPERIMENTS[name].normalisation]) for name, title in NETWORKS.items()}


def _cell(
    summarised: pd.DataFrame, corpus: str, experiment: str, metric: str, failures: pd.DataFrame | None = None
) -> str:
    if (corpus, experiment) not in summarised.index:
        return absence(_NO_FAILURES if failures is None else failures, corpus, experiment)
    row = summarised.loc[(corpus, experiment)]
    return _percent(row[metric], row[f"{metric}_low"], row[f"{metric}_high"], int(row["folds"]))


def _percent(mean: float, low: float, high: float, folds: int, noun: str = "fold") -> str:
    """Percent with an interval, or with the number of folds if they are too few for one."""
    text = with_interval(mean, low, high)
    return f"{text} ({counted(folds, noun)})" if np.isnan(low) else text


def _part(table: pd.DataFrame, corpus: str, experiment: str) -> pd.DataFrame:
    return table[(table["corpus"] == corpus) & (table["experiment"] == experiment)]


def _diverged(scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """How many of an experiment's runs diverged: 3 of 10."""
    failed, finished = (len(_part(table, corpus, experiment)) for table in (failures, scored))
    return f"{failed} of {failed + finished}" if failed + finished else absence(failures, corpus, experiment)


def _grid() -> list[tuple[int, int]]:
    """(convolutions, Bi-LSTM layers) of each network of the depth study."""
    return list(itertools.product(CONVOLUTIONS, LAYERS))
