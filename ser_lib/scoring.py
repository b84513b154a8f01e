"""Scores of runs, means over speakers with their intervals, and differences between experiments (Section 3).

Everything is computed from test predictions; pure functions of tidy tables.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from ser_lib import records
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import BASELINE, EXPERIMENTS, members
from ser_lib.protocols import ONE_TEST_SPEAKER

RUN = records.IDENTITY
LEVEL = 0.95
"""Confidence level of every interval; 1 - level is the significance of every test (two-sided)."""

MINIMUM_FOLDS = 6
"""Fewer speakers than this decide nothing, and have no interval."""


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every run.

    Args:
        predictions: test predictions with ``corpus, experiment, fold, seed, speaker, truth, prediction``.

    Returns:
        One row per run: those four, ``test_speaker`` (all of them, ``03+08``, where the experiment's protocol tests
        several), ``utterances``, ``correct``, and ``wa`` and ``ua`` in [0, 1].

    Raises:
        SerError: a run tests several speakers, and the protocol of its experiment does not; or its test utterances
            lack one of the four emotions.
    """
    scored = accuracies(predictions, RUN)
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
    of_others = accuracies(pooled[whole], [*RUN, "test_speaker"])
    return pd.concat([part for part in (scored, of_others) if len(part)] or [scored], ignore_index=True)


def accuracies(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Weighted and unweighted accuracy of :mod:`ser_lib.metrics` of many groups of utterances, all at once.

    Args:
        table: ``truth`` and ``prediction`` of each utterance, and the columns ``by``.
        by: whose values name a group, such as the identity of a run.

    Returns:
        One row per group, in their order: ``by``, ``utterances``, ``correct``, and ``wa`` and ``ua`` in [0, 1].

    Raises:
        SerError: a class is absent from the ``truth`` of a group, or a label is no emotion.
    """
    for label in pd.unique(table[["truth", "prediction"]].to_numpy().ravel()):
        if label not in EMOTIONS:
            raise SerError(f"label {label} is not one of {', '.join(EMOTIONS)}")
    right = table[[*by, "truth"]].assign(right=table["truth"] == table["prediction"])
    rows = right.groupby(by, sort=True)["right"].agg(utterances="size", correct="sum").reset_index()
    recalls = right.groupby([*by, "truth"])["right"].mean().unstack("truth").reindex(columns=EMOTIONS).to_numpy()
    for group, emotion in np.argwhere(np.isnan(recalls)):
        name = ", ".join(map(str, rows.loc[group, by]))
        raise SerError(f"{name}: no utterance of class {EMOTIONS[emotion]} to score: UA needs every class")
    rows["wa"] = rows["correct"] / rows["utterances"]
    rows["ua"] = recalls.mean(axis=1)
    return rows


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
        runs: those four, ``validation_speaker`` and ``best_epoch``, one row per run.

    Returns:
        One row per run: the four, ``validation_speaker``, and ``wa`` and ``ua`` in [0, 1]; it serves wherever scores
        are only averaged or compared, and has no utterances to pool.

    Raises:
        SerError: the history of a run lacks its chosen epoch.

    Source: Section 3, first paragraph (the validation speaker; the paper prints no score of theirs).
    """
    chosen = runs[[*RUN, "validation_speaker", "best_epoch"]].rename(columns={"best_epoch": "epoch"})
    chosen = chosen.astype({"epoch": object})
    names = {"validation_wa": "wa", "validation_ua": "ua"}
    found = chosen.merge(
        histories[[*RUN, "epoch", *names]].astype({"epoch": object}), "left", [*RUN, "epoch"], validate="one_to_one"
    )
    if found["validation_ua"].isna().any():
        run = ", ".join(map(str, found.loc[found["validation_ua"].isna(), RUN].iloc[0]))
        raise SerError(f"the history of the run ({run}) lacks the epoch that was chosen: collect the results again")
    return found.rename(columns=names).infer_objects()[[*RUN, "validation_speaker", "wa", "ua"]]


def interval(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
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


def is_guessing(low: float, high: float) -> bool:
    """Whether an interval of UA holds what guessing gives, 1 / classes: False where there is no interval (NaN)."""
    return low <= 1 / len(EMOTIONS) <= high


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


def over_seeds(scored: pd.DataFrame) -> pd.DataFrame:
    """The scores of every experiment with the seeds of a fold averaged, as if they were one run.

    Args:
        scored: as :func:`scores` or :func:`speaker_scores` return them.

    Returns:
        One row per corpus, experiment and fold, of the runs of :func:`in_means`: those three, ``test_speaker``, ``wa``
        and ``ua``, and a ``seed`` of 0, so that it is paired as scores of one seed are.
    """
    by_fold = in_means(scored).groupby(["corpus", "experiment", "fold", "test_speaker"], as_index=False)
    return by_fold[["wa", "ua"]].mean().assign(seed=0)


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
            low, high = (np.nan, np.nan) if share_speakers(part) else supported_interval(by_fold[metric])
            row |= {metric: by_fold[metric].mean(), f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    columns = ["corpus", "experiment", "folds", "seeds", "runs", "pooled_wa"]
    columns += [metric + end for metric in ("wa", "ua") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def share_speakers(part: pd.DataFrame) -> bool:
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
    parts = [of_experiment(scored, corpus, name).set_index(["fold", "seed"]).sort_index() for name in experiments]
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
                "both: compare the test scores of speakers (scoring.speaker_scores)"
            )


def alike(predictions: pd.DataFrame, runs: pd.DataFrame, corpus: str, first: str, second: str) -> pd.DataFrame:
    """Whether two experiments give the same, run by run.

    Args:
        predictions: test predictions, as :func:`ser_lib.collection.load_results` returns them.
        runs: where each run was made, likewise.
        corpus: whose runs.
        first: an experiment.
        second: another one.

    Returns:
        One row per fold and seed that both have run: ``hardware``, of both where they differ; ``repeats``, whether the
        same training gives the same digits there, as it does on processors of one kind with one PyTorch, and not on a
        GPU, which adds up in no fixed order; ``other``, the share of test utterances that are predicted otherwise; and
        ``alike``, whether there is none and the probabilities are the same to four digits.
    """
    probabilities = [f"p_{emotion}" for emotion in EMOTIONS]
    sides = [
        {
            run: part.set_index("utterance").sort_index()
            for run, part in of_experiment(predictions, corpus, name).groupby(["fold", "seed"])
        }
        for name in (first, second)
    ]
    made = [of_experiment(runs, corpus, name).set_index(["fold", "seed"]) for name in (first, second)]
    rows = []
    for run in sorted(sides[0].keys() & sides[1].keys()):
        one, two = (side[run] for side in sides)
        other = float((one["prediction"] != two["prediction"]).mean())
        close = np.allclose(one[probabilities], two[probabilities], rtol=0, atol=5e-5)
        hardware, device, torch = ([table.loc[run, of] for table in made] for of in ("hardware", "device", "torch"))
        rows.append(
            {
                "fold": run[0],
                "seed": run[1],
                "hardware": " and ".join(sorted(set(hardware))),
                "repeats": device == ["cpu", "cpu"] and hardware[0] == hardware[1] and torch[0] == torch[1],
                "other": other,
                "alike": other == 0 and close,
            }
        )
    return pd.DataFrame(rows, columns=["fold", "seed", "hardware", "repeats", "other", "alike"])


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


def on_gpu(runs: pd.DataFrame) -> pd.Series:
    """Which runs were made on a GPU; from their ``device``."""
    return runs["device"].astype(str).str.startswith("cuda")


def of_experiment(table: pd.DataFrame, corpus: str, experiment: str) -> pd.DataFrame:
    """The rows of one experiment on one corpus, of any table that has both columns."""
    return table[(table["corpus"] == corpus) & (table["experiment"] == experiment)]
