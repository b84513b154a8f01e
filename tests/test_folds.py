"""Folds: no speaker is in two parts, on any corpus, and nobody but training is oversampled.

A leak here makes every number of the book too good, and nothing else would show it.
"""

import numpy as np
import pandas as pd
import pytest

from ser_lib import collection, corpora, folds, paths, scoring
from ser_lib.corpora import iemocap
from ser_lib.errors import SerError

TABLE_2_SIZES = [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]


def hollow_iemocap() -> pd.DataFrame:
    """Speakers and emotions of the paper's selection, from its published counts."""
    rows = [
        (f"{speaker}_{emotion}_{take:03d}", speaker, speaker[1], int(speaker[0]), emotion)
        for speaker, counts in iemocap.PUBLISHED_COUNTS[list(corpora.EMOTIONS)].iterrows()
        for emotion, count in counts.items()
        for take in range(count)
    ]
    return pd.DataFrame(rows, columns=["utterance", "speaker", "gender", "session", "emotion"])


@pytest.fixture(scope="module", params=["tiny", "hollow iemocap", "synthetic", "emodb", "ravdess", "nemo"])
def table(request):
    """Every corpus that is at hand; folds need its names, so the audio is not opened."""
    if request.param == "tiny":
        return request.getfixturevalue("tiny_corpus")
    if request.param == "hollow iemocap":
        return hollow_iemocap()
    if request.param == "synthetic":
        root = request.getfixturevalue("synthetic_root")
    else:
        root = request.getfixturevalue("open_corpus")(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora.table, "examine", lambda recording: (1.0, recording.utterance))
        return corpora.load(request.param, root)


# What must hold on every corpus


def test_no_speaker_is_in_two_parts_of_a_fold(table):
    speaker = table["speaker"].to_numpy()
    for fold in folds.speaker_folds(table):
        train, validation, test = (set(speaker[rows]) for rows in (fold.train, fold.validation, fold.test))
        assert train and not train & validation and not train & test and not validation & test
        assert (validation, test) == ({fold.validation_speaker}, {fold.test_speaker})


def test_the_parts_of_a_fold_hold_every_utterance_once(table):
    for fold in folds.speaker_folds(table):
        rows = np.concatenate([fold.train, fold.validation, fold.test])
        assert sorted(rows) == list(range(len(table)))


def test_every_speaker_is_tested_once_and_validates_once(table):
    made = folds.speaker_folds(table)
    speakers = sorted(table["speaker"].unique())
    assert sorted(fold.test_speaker for fold in made) == speakers
    assert sorted(fold.validation_speaker for fold in made) == speakers
    assert [fold.number for fold in made] == list(range(1, len(speakers) + 1))


def test_validation_is_the_other_speaker_of_the_session_and_training_the_other_sessions(table):
    session_of = dict(zip(table["speaker"], table["session"], strict=True))
    for fold in folds.speaker_folds(table):
        session = session_of[fold.test_speaker]
        assert session_of[fold.validation_speaker] == session
        assert set(table["session"].iloc[fold.train]) == set(table["session"]) - {session}


def test_rows_are_ascending_positions(table):
    for fold in folds.speaker_folds(table):
        for rows in (fold.train, fold.validation, fold.test):
            assert rows.dtype == np.int64 and (np.diff(rows) > 0).all()


# The paper's own folds


def test_folds_are_numbered_as_in_table_2():
    made = folds.speaker_folds(hollow_iemocap())
    assert [fold.test_speaker for fold in made] == [f"{session}{gender}" for session in range(1, 6) for gender in "FM"]
    assert [len(fold.test) for fold in made] == TABLE_2_SIZES


def test_the_order_of_the_rows_changes_no_fold():
    table = hollow_iemocap()
    shuffled = table.sample(frac=1, random_state=0)  # its index is no longer 0, 1, 2, ...: rows are positions
    for fold, again in zip(folds.speaker_folds(table), folds.speaker_folds(shuffled), strict=True):
        for part in ("train", "validation", "test"):
            names = (t["utterance"].iloc[getattr(f, part)] for t, f in ((table, fold), (shuffled, again)))
            assert len(set(map(frozenset, names))) == 1


# What cannot be divided


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.assign(session=t["session"].replace(3, 2)), "session 2 holds 4 speaker"),
        (lambda t: t[t["speaker"] != "2M"], r"session 2 holds 1 speaker\(s\) \(2F\)"),
        (lambda t: t.assign(session=t["session"].where(t.index != 0, 2)), "speaker 1F occurs with two sessions"),
        (lambda t: t.assign(gender=t["gender"].where(t.index != 0, "M")), "speaker 1F occurs with two .*genders"),
        (lambda t: t[t["session"] == 1], "one session only"),
    ],
    ids=["four in a session", "one in a session", "in two sessions", "of two genders", "one session"],
)
def test_a_table_that_cannot_be_divided_is_refused(tiny_table, change, message):
    with pytest.raises(SerError, match=message):
        folds.speaker_folds(change(tiny_table))


def test_three_speakers_in_a_session_are_refused(tiny_table):
    third = tiny_table["utterance"] == tiny_table["utterance"].iloc[0]
    with pytest.raises(SerError, match=r"session 1 holds 3 speaker\(s\) \(1F, 1X, 1M\)"):
        folds.speaker_folds(tiny_table.assign(speaker=tiny_table["speaker"].mask(third, "1X")))


# Oversampling


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_happiness_and_anger_occur_so_often_and_the_others_once(tiny_table, factor):
    emotions = tiny_table["emotion"].to_numpy()
    rows = folds.speaker_folds(tiny_table)[0].train
    repeated = folds.oversample(rows, emotions, factor)
    times = {emotion: factor if emotion in ("happiness", "anger") else 1 for emotion in corpora.EMOTIONS}
    for row in rows:
        assert (repeated == row).sum() == times[emotions[row]]
    assert set(repeated) == set(rows)


def test_oversampling_leaves_the_given_rows_alone(tiny_table):
    rows = folds.speaker_folds(tiny_table)[0].train
    before = rows.copy()
    repeated = folds.oversample(rows, tiny_table["emotion"].to_numpy(), 2)
    np.testing.assert_array_equal(rows, before)
    np.testing.assert_array_equal(repeated[: len(rows)], rows)


@pytest.mark.parametrize("corpus", ["emodb", "ravdess", "nemo"])
def test_folds_are_numbered_as_in_the_runs_that_were_collected(corpus):
    """No digest of a run holds its fold: numbered otherwise, a speaker's runs would be joined to another's."""
    results = paths.PROJECT / "results"
    utterances = collection.load_utterances(corpus, results)
    kept = [pd.read_csv(file, dtype=str) for file in sorted(results.glob(f"{corpus}/*/runs.csv"))]
    if utterances is None or not kept:
        pytest.skip(f"no runs on {corpus} are kept")
    runs = pd.concat(kept)
    runs = runs[runs["experiment"].map(scoring.tests_one_speaker)]
    made = {fold.number: fold for fold in folds.speaker_folds(utterances)}
    assert {(int(row.fold), row.test_speaker) for row in runs.itertuples()} == {
        (number, fold.test_speaker) for number, fold in made.items()
    }
    papers = runs[runs["experiment"] == "table1-baseline"]
    assert {(int(row.fold), row.validation_speaker) for row in papers.itertuples()} == {
        (number, fold.validation_speaker) for number, fold in made.items()
    }


def test_the_woman_of_a_session_is_tested_before_the_man_whatever_they_are_called(tiny_table):
    names = {"1F": "z", "1M": "a", "2F": "y", "2M": "b", "3F": "x", "3M": "c"}
    made = folds.speaker_folds(tiny_table.assign(speaker=tiny_table["speaker"].map(names)))
    assert [fold.test_speaker for fold in made] == ["z", "a", "y", "b", "x", "c"]
