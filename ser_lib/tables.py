"""The tables of the paper and those beside them, of scores from predictions (Tables 1, 2 and 3, Section 3)."""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ser_lib import baselines, model, paper, paths, training, transfer
from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.experiments import (
    BATCH_SIZES,
    BEST,
    CONVOLUTIONS,
    EXPERIMENTS,
    Experiment,
    batch_name,
    depth_name,
)
from ser_lib.features import frame_counts
from ser_lib.files import write_file
from ser_lib.folds import OVERSAMPLED
from ser_lib.protocols import folds_of
from ser_lib.scoring import (
    RUN,
    accuracies,
    alike,
    balanced,
    in_common,
    of_experiment,
    of_shared_seeds,
    paired_difference,
    scores,
    share_speakers,
    summary,
    supported_interval,
    tests_one_speaker,
)
from ser_lib.statements import LEARNT, by_run, has_learnt, learns, pace_of_convolutions, rise
from ser_lib.wording import (
    CORPORA,
    DIVERGED,
    LICENCE,
    NOT_PRINTED,
    NOT_RUN,
    NOTHING_SHARED,
    absence,
    counted,
    no_difference,
    percent,
    points_with_interval,
    unmeasured,
    with_interval,
)

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

LAYERS = (1, 2, 3, 4)
"""Numbers of Bi-LSTM layers of the depth study (Section 3)."""


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


def table1(scored: pd.DataFrame, failures: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 1 for one metric: the paper's score beside ours, by corpus; percent, mean over folds with 95 % interval.

    Below `MINIMUM_FOLDS` folds there is no interval, and the number of folds stands in its place. Runs that diverged
    are in no mean, and are counted behind it.

    Args:
        scored: as :func:`scores` returns them.
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
            row[f"Ours, {TITLES[corpus]}"] = _cell(summarised, scored, failures, corpus, column.experiment, metric)
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
        scored: as :func:`scores` returns them.
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


_OWN_AVERAGES = {"10 fold cross-valid.": "mean over folds", "5 best folds": "better speaker of each session"}
"""Rows of Table 2 that average its own folds -> what they are called here."""


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
        scored: as :func:`scores` returns them.
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
        rows.append(row | {"Diverged": _diverged(scored, failures, corpus, experiment)})
    return pd.DataFrame(rows, columns=["Experiment", "Compared with", *columns, "Diverged"])


def same_trainings(predictions: pd.DataFrame, runs: pd.DataFrame, pairs: Mapping[str, str]) -> pd.DataFrame:
    """Experiments that are the same training by proof, and how many of their runs are: what repeating a run gives.

    Args:
        predictions: test predictions, as :func:`ser_lib.collection.load_results` returns them.
        runs: where each run was made, likewise.
        pairs: experiment -> the other that is the same.

    Returns:
        One row per corpus and hardware: pairs of runs that were made there, how many of them are alike
        (:func:`ser_lib.scoring.alike`), and the largest share of test utterances that a pair predicts otherwise.
    """
    found = [
        alike(predictions, runs, corpus, *pair).assign(corpus=corpus) for corpus in CORPORA for pair in pairs.items()
    ]
    rows = [
        {
            "Corpus": TITLES[corpus],
            "Both made on": hardware,
            "Pairs of runs": len(part),
            "Alike to four digits": int(part["alike"].sum()),
            "Most predicted otherwise in one (%)": f"{100 * part['other'].max():.1f}",
        }
        for (corpus, hardware), part in pd.concat(found).groupby(["corpus", "hardware"], sort=False)
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Pairs of runs": [NOT_RUN]})


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
        cells = [_cell(summarised, scored, failures, corpus, experiment, metric) for *_, experiment in rows]
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
                missing = unmeasured(corpus)
                row[f"batches of {size}"] = _hundredths(by_fold) if len(by_fold) else missing
            rows.append(row)
    return pd.DataFrame(rows)


def _hundredths(values: np.ndarray, of: Callable[[float], float] = float) -> str:
    """The mean of one value per speaker with its 95 % interval: 0.18 [0.07, 0.29], from `MINIMUM_FOLDS` on.

    Args:
        values: one per speaker, shape (speakers,).
        of: what is shown of the mean and of both ends.
    """
    mean, low, high = (of(value) for value in (values.mean(), *supported_interval(values)))
    return f"{mean:.2f}" + ("" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]")


def pace_by_layer(updates: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """How many times the share of its weights that a Bi-LSTM layer is moved by in a step each convolution is moved by.

    Args:
        updates: norm of the update over norm of the weights of every layer, as in
            :class:`ser_lib.collection.Results`.
        experiment: whose runs.

    Returns:
        A row per corpus and a column per convolution: geometric means over epochs, seeds and speakers, of several
        Bi-LSTM layers too, with the 95 % interval over speakers from `MINIMUM_FOLDS` on.

    Source: Sections 1 and 4 ("trained at a very different pace").
    """
    parts = {corpus: of_experiment(updates, corpus, experiment) for corpus in CORPORA}
    paces = {corpus: pace_of_convolutions(part) for corpus, part in parts.items() if len(part)}
    layers = dict.fromkeys(layer for pace in paces.values() for layer in pace)
    rows = []
    for corpus in CORPORA:
        row = {"Corpus": TITLES[corpus], "Speakers": len(paces.get(corpus, ()))}
        for layer in layers:
            missing = unmeasured(corpus)
            row[layer] = _hundredths(paces[corpus][layer].to_numpy(), np.exp) if corpus in paces else missing
        rows.append(row)
    return pd.DataFrame(rows)


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
        own = of_experiment(runs, corpus, experiment)
        if experiment in summarised.index:
            of = summarised.loc[experiment]
            seeds = balanced(of_experiment(chosen, corpus, experiment))["seed"].unique()
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
        UA in per cent (means over folds, seeds averaged first), and the first less the second in points: of each
        speaker where every one of them validates once and tests once, or else of each fold; with 95 % interval from
        `MINIMUM_FOLDS` on, if no speaker is tested in two folds. A corpus without runs has one row that says so.

    Source: Section 3, first paragraph (the validation speaker; the paper prints no score of theirs).
    """
    columns = ["Corpus", "Protocol", "Runs", "UA, validation (%)", "UA, test (%)", "Difference (points)"]
    scored = of_shared_seeds(scored, PROTOCOLS)
    choosing = validation[[*RUN, "validation_speaker", "ua"]]
    both = scored.merge(choosing, on=RUN, suffixes=("", "_validation"), validate="one_to_one")
    rows = []
    for corpus in CORPORA:
        if corpus not in set(both["corpus"]):
            missing = absence(failures, corpus, "table1-baseline")
            rows.append(dict.fromkeys(columns, missing) | {"Corpus": TITLES[corpus], "Protocol": "all"})
            continue
        for experiment, words in PROTOCOLS.items():
            part = balanced(of_experiment(both, corpus, experiment))
            row = {"Corpus": TITLES[corpus], "Protocol": words, "Runs": len(part)}
            if part.empty:
                row |= dict.fromkeys(columns[3:], absence(failures, corpus, experiment))
            else:
                names = ["validation_speaker", "test_speaker"] if _validate_and_test_once(part) else ["fold", "fold"]
                chosen, tested = (
                    100 * part.groupby(name)[ua].mean() for name, ua in zip(names, ("ua_validation", "ua"), strict=True)
                )
                # Kept with six digits: what is the same must not differ by the last of them.
                points = (chosen - tested).round(3).to_numpy()
                apart = not share_speakers(part)
                row |= {
                    columns[3]: f"{chosen.mean():.1f}",
                    columns[4]: f"{tested.mean():.1f}",
                    columns[5]: points_with_interval(points) if apart else f"{points.mean():+.1f}",
                }
            rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _validate_and_test_once(runs: pd.DataFrame) -> bool:
    """Whether every speaker of some runs validates in one fold, and tests in one."""
    folds = runs.drop_duplicates("fold")
    validating, testing = (sorted(folds[name].astype(str)) for name in ("validation_speaker", "test_speaker"))
    return validating == testing and len(set(testing)) == len(testing)


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
        papers, sessions = (balanced(of_experiment(scored, corpus, name)).groupby("fold")["ua"].mean() for name in pair)
        table[f"Ours, {TITLES[corpus]}"] = _five_and_ten(papers, sessions, unmeasured(corpus))
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
    by_run = accuracies(each, [*keys, "fold", "seed"])
    return by_run.groupby(keys).agg(runs=("ua", "size"), wa=("wa", "mean"), ua=("ua", "mean")).reset_index()


def transfer_table(
    counts: pd.DataFrame,
    scored: pd.DataFrame,
    failures: pd.DataFrame,
    runs: pd.DataFrame,
    experiment: str,
    metric: str = "ua",
) -> pd.DataFrame:
    """Networks of each corpus, tested on each corpus: a row per source and normalisation, a column per target.

    Args:
        counts: as :func:`ser_lib.transfer.load` returns them.
        scored: as :func:`scores` returns them, for the scores within a corpus.
        runs: those runs.
        experiment: whose networks.
        metric: ``wa`` or ``ua``.

    Returns:
        Per cent, mean over the target's speakers (the source's runs averaged first) with 95 % interval from
        `MINIMUM_FOLDS` speakers on. Where source and target are one corpus, the test score of its own runs, in which
        no speaker is tested by a network that knows the speaker.

    Raises:
        SerError: counts and runs are of different versions of a corpus.
    """
    for end in ("source", "target"):
        versions = counts[[end, f"{end}_fingerprint"]].set_axis(["corpus", "fingerprint"], axis="columns")
        other = {"source": "--source {} --corpus TARGET", "target": "--source SOURCE --corpus {}"}[end]
        _refuse_other_corpus(versions, runs, "the counts of the transfer", f"transfer {other}")
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
                    cell = _cell(within, scored, failures, source, experiment, metric)
                    cell = f"within: {cell}" if (source, experiment) in within.index else cell
                elif len(part):
                    cell = percent(part[metric].mean(), *supported_interval(part[metric]), len(part), "speaker")
                else:
                    cell = unmeasured("iemocap" if "iemocap" in (source, target) else target)
                row[f"Tested on {TITLES[target]}"] = cell
            rows.append(row)
    return pd.DataFrame(rows)


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


def baselines_table(
    scored: pd.DataFrame, failures: pd.DataFrame, predictions: pd.DataFrame, runs: pd.DataFrame, metric: str
) -> pd.DataFrame:
    """The baselines and the network on the same folds, by corpus, for one metric.

    Args:
        scored: of the network, as :func:`scores` returns them.
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
    _refuse_other_corpus(predictions, runs, "the baselines", "baselines --corpus {}")
    summarised = summary(pd.concat([scored, baseline_scores(predictions)])).set_index(["corpus", "experiment"])
    rows = []
    for experiment, (title, normalisation) in (baseline_variants() | _networks()).items():
        row = {"Method": title, "Standardised by": normalisation}
        for corpus in CORPORA:
            row[TITLES[corpus]] = _cell(summarised, scored, failures, corpus, experiment, metric)
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
    _refuse_other_corpus(predictions, runs, "the baselines", "baselines --corpus {}")
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


def _refuse_other_corpus(table: pd.DataFrame, runs: pd.DataFrame, what: str, command: str) -> None:
    """Refuse what was measured on another version of a corpus than the runs: they are of unlike utterances."""
    for corpus in sorted(set(table["corpus"]) & set(runs["corpus"])):
        found, run = (sorted(set(part.loc[part["corpus"] == corpus, "fingerprint"])) for part in (table, runs))
        if found != run:
            raise SerError(
                f"{corpus}: {what} are of the version {', '.join(found)} of the corpus, the runs of {', '.join(run)}: "
                f"make them again (python -m ser_lib {command.format(corpus)})"
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
            counts = of_experiment(by_fold, corpus, name)["C"].value_counts().sort_index()
            found = ", ".join(f"{strength:g} ({folds})" for strength, folds in counts.items())
            row[TITLES[corpus]] = found or unmeasured(corpus)
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
    run = [name for name in places if len(of_experiment(scored, corpus, name))]
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
        frames: length of the utterance; the default is the median of the paper's selection of IEMOCAP.

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


def convergence(histories: pd.DataFrame, pairs: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """How soon networks with and without normalisation of the input learn, and how far they overfit.

    Args:
        histories: every epoch of the runs of one corpus, with ``training_loss`` and ``validation_loss``.
        pairs: name of a network -> the experiment with, and the one without.

    Returns:
        Two rows per network: means over the folds and seeds that both have run of the first epoch whose training loss
        is :data:`ser_lib.statements.LEARNT` or less (and how many runs never came there), of the lowest validation
        loss, and of the rise of the validation loss from there to the last epoch.

    Source: Section 3, eq. 2 ("significantly improves the convergence time", "strong overfitting"). The measures are
    ours: the paper names none.
    """
    columns = ["Runs", f"Epochs to a training loss of {LEARNT:.2f}", "Lowest validation loss", "Rise from there"]
    rows = []
    for network, pair in pairs.items():
        runs = [dict(list(histories[histories["experiment"] == name].groupby(["fold", "seed"]))) for name in pair]
        shared = sorted(set(runs[0]) & set(runs[1]))
        for words, of in zip(("with", "without"), runs, strict=True):
            parts = [of[run].sort_values("epoch") for run in shared]
            values = [len(shared), *_learning(parts)] if parts else [NOT_RUN] * len(columns)
            rows.append({"Network": network, "Normalisation": words} | dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=["Network", "Normalisation", *columns])


def endings(runs: pd.DataFrame, histories: pd.DataFrame, experiments: Sequence[str]) -> pd.DataFrame:
    """How the training of some experiments ended: by the limit on its epochs, and with what learnt.

    Args:
        runs: where the runs come from, with ``epochs`` and ``best_epoch``.
        histories: every epoch of them, with ``training_loss``.
        experiments: those to show.

    Returns:
        A row per experiment, a column per corpus: how many runs were ended by the limit while the validation score
        could still have risen, for patience had not run out, and in how many the training loss came down to
        :data:`ser_lib.statements.LEARNT`.

    Source: none in the paper, which states neither limit nor patience.
    """
    learnt = by_run(histories[histories["experiment"].isin(experiments)], learns)
    rows = []
    for experiment in experiments:
        row, settings = {"Experiment": experiment}, EXPERIMENTS[experiment]
        for corpus in CORPORA:
            part, fit = (of_experiment(table, corpus, experiment) for table in (runs, learnt))
            waiting = part["epochs"] - part["best_epoch"] < settings.patience
            ended = int((waiting & (part["epochs"] == settings.epochs)).sum())
            words = f"{ended} of {len(part)} by the limit; {int(fit['value'].sum())} have learnt"
            row[TITLES[corpus]] = words if len(part) else unmeasured(corpus)
        rows.append(row)
    return pd.DataFrame(rows)


def _learning(histories: list[pd.DataFrame]) -> tuple[str, str, str]:
    """First epoch in which it has learnt, lowest validation loss and rise from there, each a mean over some runs."""
    first = [history.loc[has_learnt(history), "epoch"].min() for history in histories]
    never = int(np.isnan(first).sum())
    lowest = np.array([history["validation_loss"].min() for history in histories])
    epochs = "never" if never == len(first) else f"{np.nanmean(first):.1f}"
    if 0 < never < len(first):
        epochs += f" (never in {never} of {len(first)})"
    return epochs, f"{lowest.mean():.2f}", f"{np.mean([rise(history) for history in histories]):+.2f}"


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


def _networks() -> dict[str, tuple[str, str]]:
    """The experiments of `NETWORKS`, with what their spectrograms are normalised by (eq. 2)."""
    by = {"dataset": "whole dataset (eq. 2)", "training": baselines.NORMALISATIONS["training"], "none": "none"}
    return {name: (title, by[EXPERIMENTS[name].normalisation]) for name, title in NETWORKS.items()}


def _cell(
    summarised: pd.DataFrame, scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str, metric: str
) -> str:
    """The score of an experiment on a corpus, and how many of its runs diverged, if any did."""
    if (corpus, experiment) not in summarised.index:
        return absence(failures, corpus, experiment)
    row = summarised.loc[(corpus, experiment)]
    cell = percent(row[metric], row[f"{metric}_low"], row[f"{metric}_high"], int(row["folds"]))
    if of_experiment(failures, corpus, experiment).empty:
        return cell
    return f"{cell}, {_diverged(scored, failures, corpus, experiment)} {DIVERGED}"


def _diverged(scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """How many of an experiment's runs diverged: 3 of 10."""
    failed, finished = (len(of_experiment(table, corpus, experiment)) for table in (failures, scored))
    return f"{failed} of {failed + finished}" if failed + finished else absence(failures, corpus, experiment)


def _grid() -> list[tuple[int, int]]:
    """(convolutions, Bi-LSTM layers) of each network of the depth study."""
    return list(itertools.product(CONVOLUTIONS, LAYERS))
