"""Another model beside ours: predictions of the same utterances, scored as ours are (Section 3; Tables 1 and 2)."""

from pathlib import Path

import pandas as pd

from ser_lib import paper, scoring, wording
from ser_lib.corpora import EMOTIONS, TITLES
from ser_lib.errors import SerError, nearest
from ser_lib.files import read_table
from ser_lib.folds import speaker_folds

NAME = "other model"


def read(file: Path, corpus: str, utterances: pd.DataFrame) -> pd.DataFrame:
    """The test predictions of a model that was trained elsewhere, under the paper's folds.

    Args:
        file: CSV with the columns ``utterance`` and ``prediction`` (an emotion), and ``seed`` where there are several;
            for each seed a row per utterance of the corpus.
        corpus: its name.
        utterances: all of the corpus, as :func:`ser_lib.corpora.load` gives them.

    Returns:
        One row per utterance and seed, as predictions of ours are kept: ``corpus, experiment, fold, seed, utterance,
        speaker, truth, prediction``.

    Raises:
        SerError: the file is no such table; a prediction is none of the four emotions; an utterance is not of the
            corpus, is missing, or is there twice with one seed.
    """
    remedy = "it needs a row per utterance, with the columns utterance and prediction, and seed if there are several"
    given = read_table(file, remedy, ["utterance", "prediction"], dtype={"utterance": str, "prediction": str})
    given = given.assign(seed=given.get("seed", 0))
    known = set(utterances["utterance"])
    for line, row in zip(given.index + 2, given.itertuples(), strict=True):  # the first line has the names
        if row.utterance not in known:
            near = nearest(row.utterance, known)
            raise SerError(f"{file}, line {line}: {corpus} has no utterance {row.utterance!r}{near}")
        if row.prediction not in EMOTIONS:
            raise SerError(f"{file}, line {line}: {row.prediction!r} is none of {', '.join(EMOTIONS)}")
    for line in given.index[given.duplicated(["utterance", "seed"])] + 2:
        raise SerError(f"{file}, line {line}: this utterance was there before, with the same seed")
    for seed, part in given.groupby("seed"):
        if missing := sorted(known - set(part["utterance"])):
            lacks = wording.counted(len(missing), "utterance")
            raise SerError(f"{file}: of seed {seed} {lacks} of {corpus} are missing, such as {missing[0]}")
    fold_of = {fold.test_speaker: fold.number for fold in speaker_folds(utterances)}
    truth = utterances[["utterance", "speaker", "emotion"]].rename(columns={"emotion": "truth"})
    joined = given[["utterance", "prediction", "seed"]].merge(truth, on="utterance")
    return joined.assign(corpus=corpus, experiment=NAME, fold=joined["speaker"].map(fold_of))


def beside(predictions: pd.DataFrame, scored: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Scores of another model, those of an experiment of ours, and the difference by speaker.

    Seeds of a speaker are averaged first, on either side: those of another model pair with none of ours.

    Args:
        predictions: as :func:`read` returns them.
        scored: ours, as :func:`ser_lib.scoring.scores` returns them.
        experiment: which of ours.

    Returns:
        Rows ``other model``, the experiment, the paper's score of it where the corpus is IEMOCAP, and the difference
        from the experiment: UA and WA in per cent, with 95 % intervals over speakers from `MINIMUM_FOLDS` on.
    """
    (corpus,) = predictions["corpus"].unique()
    ours = scoring.of_experiment(scored, corpus, experiment)
    both = scoring.over_seeds(pd.concat([scoring.scores(predictions), ours]))
    summary = scoring.summary(both).set_index("experiment")
    rows = {}
    for name in (NAME, experiment):
        rows[name] = {metric.upper(): wording.unmeasured(corpus) for metric in ("ua", "wa")}
        if name in summary.index:
            row = summary.loc[name]
            ends = {metric: row[[metric, f"{metric}_low", f"{metric}_high"]] for metric in ("ua", "wa")}
            rows[name] = {metric.upper(): wording.percent(*ends[metric], row["folds"]) for metric in ends}
    if corpus == "iemocap" and experiment in paper.COLUMNS:
        printed = paper.COLUMNS[experiment]
        rows[f"{experiment}, in print"] = {"UA": f"{printed.ua:.1f}", "WA": f"{printed.wa:.1f}"}
    if len(ours):
        differences = {
            metric: 100 * scoring.paired_difference(both, corpus, NAME, experiment, metric) for metric in ("ua", "wa")
        }
        rows["difference"] = {m.upper(): wording.points_with_interval(points) for m, points in differences.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def described(table: pd.DataFrame, predictions: pd.DataFrame) -> str:
    """The table of :func:`beside` with a line on what it is of, for the command line."""
    (corpus,) = predictions["corpus"].unique()
    utterances, speakers = predictions["utterance"].nunique(), predictions["speaker"].nunique()
    seeds = wording.counted(predictions["seed"].nunique(), "seed")
    head = f"{TITLES[corpus]}, {utterances} utterances, {speakers} speakers, {seeds}: per cent, mean over folds"
    return f"{head}\n{table.to_string()}"
