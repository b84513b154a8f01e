"""Protocols: who is kept apart, who is not, and that each utterance is tested once under every one of them.

A protocol that is not what its name says would make the comparison with the paper's worthless, and no score would show
it: so each is tested for the leak that it must have as well as for those that it must not have.
"""

import hashlib
import json
import typing

import numpy as np
import pandas as pd
import pytest

from ser_lib import collection, folds, protocols, records, training
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS, Experiment
from ser_lib.study import published_iemocap

OTHERS = [protocol for protocol in protocols.PROTOCOLS if protocol != "speakers"]


@pytest.fixture(scope="module", params=["tiny", "iemocap", "emodb", "ravdess", "nemo"])
def table(request, tiny_corpus) -> pd.DataFrame:
    """The made-up corpus, IEMOCAP's published counts, and the open corpora as they were run."""
    if request.param == "tiny":
        return tiny_corpus
    if request.param == "iemocap":
        return published_iemocap()
    kept = collection.load_utterances(request.param, records.paths.PROJECT / "results")
    return kept if kept is not None else pytest.skip(f"no table of {request.param} is kept")


def made(table: pd.DataFrame, protocol: str) -> list[folds.Fold]:
    """The folds of a protocol, whose numbers and rows are as every part of the project takes them to be."""
    found = protocols.folds_of(table, protocol)
    assert [fold.number for fold in found] == list(range(1, len(found) + 1))
    for fold in found:
        for rows in (fold.train, fold.validation, fold.test):
            assert rows.dtype == np.int64 and len(rows) and (np.diff(rows) > 0).all()
    return found


def speakers(table: pd.DataFrame, rows: np.ndarray) -> set[str]:
    return set(table["speaker"].iloc[rows])


def paired(table: pd.DataFrame, protocol: str) -> list[tuple[folds.Fold, folds.Fold]]:
    """Each fold of a protocol beside the paper's of the same number."""
    return list(zip(made(table, protocol), folds.speaker_folds(table), strict=True))


# What must hold under every protocol


def test_the_protocols_are_those_that_an_experiment_can_ask_for_and_the_papers_is_the_default():
    assert typing.get_args(Experiment.model_fields["protocol"].annotation) == tuple(protocols.PROTOCOLS)
    assert Experiment().protocol == "speakers"
    asked = [experiment.protocol for name, experiment in EXPERIMENTS.items() if name.startswith("protocol-")]
    assert asked == OTHERS


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_each_utterance_is_tested_exactly_once(table, protocol):
    tested = np.concatenate([fold.test for fold in made(table, protocol)])
    assert sorted(tested) == list(range(len(table)))


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_no_utterance_that_tests_or_validates_trains(table, protocol):
    for fold in made(table, protocol):
        assert not set(fold.train) & (set(fold.test) | set(fold.validation))
        assert protocol == "test-validates" or not set(fold.test) & set(fold.validation)


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_every_emotion_is_in_every_part_that_is_scored(table, protocol):
    for fold in made(table, protocol):
        for rows in (fold.train, fold.validation, fold.test):
            assert set(table["emotion"].iloc[rows]) == set(EMOTIONS)


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_a_fold_names_everyone_who_tests_or_validates_and_nobody_else(table, protocol):
    for fold in made(table, protocol):
        assert fold.test_speaker == "+".join(sorted(speakers(table, fold.test)))
        assert fold.validation_speaker == "+".join(sorted(speakers(table, fold.validation)))


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_folds_are_the_same_each_time_and_in_whatever_order_the_rows_are(table, protocol):
    shuffled = table.sample(frac=1, random_state=0)  # its index is no longer 0, 1, 2, ...: rows are positions
    for fold, again in zip(made(table, protocol), made(shuffled, protocol), strict=True):
        for part in ("train", "validation", "test"):
            names = (t["utterance"].iloc[getattr(f, part)] for t, f in ((table, fold), (shuffled, again)))
            assert len(set(map(frozenset, names))) == 1


@pytest.mark.parametrize(
    "protocol, digest",
    [
        ("mixed-pair", "c52fb51e6bb9"),
        ("utterances", "b276e6c2eef1"),
        ("sessions", "2332e2119bc7"),
    ],
)
def test_what_is_drawn_at_random_stays_as_the_runs_that_were_collected_had_it(tiny_table, protocol, digest):
    """A change here would let runs of two different sets of folds be taken for one: no digest of a run holds them."""
    drawn = [[fold.validation.tolist(), fold.test.tolist()] for fold in protocols.folds_of(tiny_table, protocol)]
    assert hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:12] == digest


# What each protocol is


def test_the_papers_protocol_is_its_own_folds(table):
    for fold, own in paired(table, "speakers"):
        assert all(np.array_equal(getattr(fold, part), getattr(own, part)) for part in ("train", "validation", "test"))


def test_mistaken_speakers_share_test_and_validation_and_never_reach_training(table):
    for fold, own in paired(table, "mixed-pair"):
        pair = {own.test_speaker, own.validation_speaker}
        assert speakers(table, fold.test) == speakers(table, fold.validation) == pair
        assert np.array_equal(fold.train, own.train) and not speakers(table, fold.train) & pair


def test_mistaken_speakers_are_shared_out_evenly_by_speaker_and_emotion(table):
    for fold, _ in paired(table, "mixed-pair"):
        halves = [table.iloc[rows] for rows in (fold.test, fold.validation)]
        counts = [half.groupby(["speaker", "emotion"]).size() for half in halves]
        assert (counts[0] - counts[1]).abs().max() <= 1 and abs(len(fold.test) - len(fold.validation)) <= 1


def test_the_two_folds_of_mistaken_speakers_exchange_what_tests_and_what_validates(table):
    found = made(table, "mixed-pair")
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert np.array_equal(first.test, second.validation) and np.array_equal(first.validation, second.test)


def test_folds_over_utterances_leak_every_test_speaker_into_training(table):
    found = made(table, "utterances")
    assert len(found) == table["speaker"].nunique()
    for fold in found:
        assert speakers(table, fold.test) <= speakers(table, fold.train)
        assert speakers(table, fold.validation) <= speakers(table, fold.train)


def test_folds_over_utterances_are_of_one_size_and_have_the_corpus_share_of_each_emotion(table):
    found = made(table, "utterances")
    sizes = [len(fold.test) for fold in found]
    assert max(sizes) - min(sizes) <= len(EMOTIONS)
    for emotion, count in table["emotion"].value_counts().items():
        each = [(table["emotion"].iloc[fold.test] == emotion).sum() for fold in found]
        assert max(each) - min(each) <= 1 and sum(each) == count


def test_the_part_behind_the_one_that_tests_validates_and_the_last_is_followed_by_the_first(table):
    found = made(table, "utterances")
    for fold, following in zip(found, found[1:] + found[:1], strict=True):
        assert np.array_equal(fold.validation, following.test)
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(table)


def test_folds_over_utterances_are_shuffled(table):
    """Unshuffled, the utterances of a part would be neighbours by name, which is to say by speaker."""
    order = np.argsort(np.argsort(table["utterance"].to_numpy()))
    for fold in made(table, "utterances"):
        assert np.ptp(order[fold.test]) > len(table) / 2


def test_a_session_tests_with_both_of_its_speakers_and_trains_neither(table):
    found = made(table, "sessions")
    sessions = sorted(table["session"].unique())
    assert len(found) == len(sessions)
    for fold, session in zip(found, sessions, strict=True):
        assert np.array_equal(fold.test, np.flatnonzero(table["session"] == session))
        assert len(speakers(table, fold.test)) == 2
        assert not speakers(table, fold.test) & (speakers(table, fold.train) | speakers(table, fold.validation))


def test_a_tenth_of_the_other_sessions_validates_in_their_share_of_emotions_and_the_rest_trains(table):
    for fold in made(table, "sessions"):
        others = len(table) - len(fold.test)
        assert len(fold.train) + len(fold.validation) == others
        for emotion in EMOTIONS:
            trains, validates = (
                (table["emotion"].iloc[rows] == emotion).sum() for rows in (fold.train, fold.validation)
            )
            assert abs(validates - (trains + validates) / 10) < 1
        assert abs(len(fold.validation) - others / 10) <= len(EMOTIONS)


def test_the_speaker_who_tests_also_validates_and_the_partner_has_no_part(table):
    for fold, own in paired(table, "test-validates"):
        assert fold.test_speaker == fold.validation_speaker == own.test_speaker
        assert np.array_equal(fold.test, own.test) and np.array_equal(fold.validation, own.test)
        assert np.array_equal(fold.train, own.train)


# What a run makes of them


def test_a_run_is_made_on_its_experiments_own_fold_and_its_record_names_who_tested(tiny_table, tiny_experiment):
    for protocol in protocols.PROTOCOLS:
        settings = tiny_experiment.with_settings(protocol=protocol)
        record = records.obtain(tiny_table, records.run_key(tiny_table, protocol, settings, 2, 0), "cpu")
        fold = protocols.find_fold(tiny_table, protocol, 2)
        assert record.predictions["utterance"].tolist() == tiny_table["utterance"].iloc[fold.test].tolist()
        assert record.predictions["speaker"].tolist() == tiny_table["speaker"].iloc[fold.test].tolist()
        assert record.run["test_speaker"] == fold.test_speaker
        assert record.run["validation_speaker"] == fold.validation_speaker


@pytest.mark.parametrize("protocol", ["test-validates", "mixed-pair"])
def test_with_the_same_training_part_only_the_choice_of_the_epoch_and_the_test_part_differ(
    tiny_table, tiny_store, tiny_experiment, protocol
):
    outcomes = [
        training.train(tiny_table, tiny_store, tiny_experiment, protocols.find_fold(tiny_table, name, 3), 0)
        for name in ("speakers", protocol)
    ]
    losses = [outcome.history["training_loss"].tolist() for outcome in outcomes]
    assert losses[0] == losses[1]
    assert outcomes[0].history["validation_loss"].tolist() != outcomes[1].history["validation_loss"].tolist()


# What is refused


@pytest.mark.parametrize(
    "protocol, last, listed",
    [
        ("speakers", 6, "; fold=test speaker: 1=1F, 2=1M, .*"),
        ("sessions", 3, "; fold=test speaker: 1=1F.1M, 2=2F.2M, 3=3F.3M"),
        ("utterances", 6, ""),  # nearly everyone in each of them
    ],
)
def test_a_number_without_a_fold_is_refused_and_the_folds_are_listed(tiny_table, protocol, last, listed):
    assert [protocols.find_fold(tiny_table, protocol, number).number for number in (1, last)] == [1, last]
    for number in (0, -1, last + 1):
        message = rf"there is no fold {number}: choose one of 1 to {last} \(protocol '{protocol}'{listed}\)$"
        with pytest.raises(SerError, match=message):
            protocols.find_fold(tiny_table, protocol, number)


def test_a_run_asks_for_folds_of_its_own_protocol(tiny_table, tiny_experiment):
    settings = tiny_experiment.with_settings(protocol="sessions")
    assert records.run_key(tiny_table, "x", settings, 3, 0).fold == 3
    with pytest.raises(SerError, match="no fold 4: choose one of 1 to 3 .protocol 'sessions'"):
        records.run_key(tiny_table, "x", settings, 4, 0)


def fewer(table: pd.DataFrame, keep: int, **where: str) -> pd.DataFrame:
    """A table that keeps only the first of those utterances that match."""
    chosen = np.all([table[column] == value for column, value in where.items()], axis=0)
    return table.drop(table.index[chosen][keep:]).reset_index(drop=True)


@pytest.mark.parametrize(
    "protocol, keep, where, message",
    [
        ("mixed-pair", 1, {"emotion": "anger", "speaker": "2M"}, "2M, anger: 1 utterances cannot be dealt .* 2 parts"),
        ("utterances", 5, {"emotion": "anger"}, "anger: 5 utterances cannot be dealt out into 6 parts"),
        ("sessions", 1, {"emotion": "anger"}, "anger: 1 utterances cannot be dealt out into 2 parts"),
    ],
)
def test_too_few_utterances_of_a_kind_are_refused_by_name(tiny_table, protocol, keep, where, message):
    table = pd.concat([tiny_table, tiny_table.assign(utterance=tiny_table["utterance"] + "again")], ignore_index=True)
    assert made(table, protocol)
    with pytest.raises(SerError, match=message + f".*protocol '{protocol}'"):
        protocols.folds_of(fewer(table, keep, **where), protocol)


def test_two_speakers_leave_nobody_to_train_on(tiny_table):
    pair = tiny_table[tiny_table["session"] == 1].reset_index(drop=True)
    for protocol in protocols.PROTOCOLS:
        with pytest.raises(SerError, match="one session only|need three"):
            protocols.folds_of(pair, protocol)
