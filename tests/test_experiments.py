"""Experiments: Table 1's four are what the table says, no key is unknown, and every key has an effect."""

import pydantic
import pytest

from ser_lib import training
from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS, Experiment, find_experiment, parse_settings
from ser_lib.features import open_store
from ser_lib.folds import find_fold

# Setting -> what to change for it: its new value, and what it needs beside it to have something to act on.
CHANGES = {
    "frequency_range": {"frequency_range": 8},
    "floor_db": {"floor_db": -50.0},
    "normalisation": {"normalisation": "training"},
    "vtlp": {"vtlp": "epoch"},
    "test_copies": {"test_copies": 11},
    "oversampling": {"oversampling": 2},
    "filters": {"filters": (3, 5)},
    "kernels": {"kernels": ((3, 3), (5, 3))},
    "strides": {"strides": ((8, 1), (4, 1))},
    "hidden_size": {"hidden_size": 5},
    "lstm_layers": {"lstm_layers": 2},
    "aggregation": {"aggregation": "last"},
    "batch_size": {"batch_size": 16},
    "learning_rate": {"learning_rate": 0.02},
    "momentum": {"momentum": 0.5},
    "weight_decay": {"weight_decay": 0.1},
    "epochs": {"epochs": 3},
    "patience": {"patience": 1},
}
# Weights that do not move never beat the first epoch: only then does patience run out at a known epoch.
BESIDE = {"patience": {"learning_rate": 1e-30, "epochs": 3}}


@pytest.fixture(scope="module")
def outcome(tiny_corpus, tmp_path_factory):
    """A function from an experiment to what its two epochs leave behind; each is run once."""
    data, made = tmp_path_factory.mktemp("data"), {}

    def run(experiment: Experiment):
        if experiment.digest not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SER_DATA", str(data))
                store = open_store(tiny_corpus, experiment.floor_db)
            made[experiment.digest] = training.train(tiny_corpus, store, experiment, find_fold(tiny_corpus, 1), 0)
        return made[experiment.digest]

    return run


# Every key has an effect


def test_every_setting_is_tested_for_its_effect():
    assert set(CHANGES) == set(Experiment.model_fields)


@pytest.mark.parametrize("setting", CHANGES)
def test_changing_this_setting_alone_changes_what_a_run_leaves_behind(setting, tiny_experiment, outcome):
    base = tiny_experiment.with_settings(**BESIDE.get(setting, {}))
    changed = base.with_settings(**CHANGES[setting])
    assert [key for key in Experiment.model_fields if getattr(base, key) != getattr(changed, key)] == [setting]
    before, after = outcome(base), outcome(changed)
    same = [getattr(before, part).equals(getattr(after, part)) for part in ("history", "gradients", "predictions")]
    assert not all(same)


@pytest.mark.parametrize("value", ["none", "epoch", "utterance"])
def test_the_three_kinds_of_vtlp_differ(value, tiny_experiment, outcome):
    others = {"none", "epoch", "utterance"} - {value}
    history = outcome(tiny_experiment.with_settings(vtlp=value)).history
    assert not any(history.equals(outcome(tiny_experiment.with_settings(vtlp=other)).history) for other in others)


@pytest.mark.parametrize("setting", CHANGES)
def test_changing_this_setting_alone_changes_the_digest(setting, tiny_experiment):
    base = tiny_experiment.with_settings(**BESIDE.get(setting, {}))
    assert base.with_settings(**CHANGES[setting]).digest != base.digest
    assert len(base.digest) == 12 and int(base.digest, 16) >= 0


def test_the_digest_does_not_depend_on_how_a_value_is_written():
    assert Experiment(learning_rate=1, filters=[1], kernels=[[3, 3]], strides=[[1, 1]]).digest == (
        Experiment(learning_rate=1.0, filters=(1,), kernels=((3, 3),), strides=((1, 1),)).digest
    )


# Table 1


def differing(name: str, reference: str) -> dict:
    """The settings in which an experiment differs from another, with its own values."""
    own, other = find_experiment(name).model_dump(), find_experiment(reference).model_dump()
    return {key: own[key] for key in own if own[key] != other[key]}


def test_the_experiments_of_table_1_differ_in_exactly_what_the_table_says():
    assert differing("table1-oversampling", "table1-baseline") == {"oversampling": 2}
    assert differing("table1-vtlp", "table1-oversampling") == {"vtlp": "utterance", "test_copies": 11}
    assert differing("table1-best", "table1-vtlp") == {"frequency_range": 8}


def test_the_baseline_is_what_the_paper_states():
    baseline = find_experiment("table1-baseline")
    assert (baseline.frequency_range, baseline.oversampling, baseline.vtlp, baseline.test_copies) == (4, 1, "none", 1)
    assert (len(baseline.filters), baseline.lstm_layers, baseline.batch_size) == (4, 1, 16)
    assert baseline.normalisation == "dataset" and baseline.momentum > 0 and baseline.weight_decay > 0


def test_no_two_experiments_are_the_same():
    assert len({experiment.digest for experiment in EXPERIMENTS.values()}) == len(EXPERIMENTS)


# What is refused


def test_an_unknown_setting_is_refused_and_the_nearest_is_suggested():
    with pytest.raises(SerError, match="no setting 'learning_rat'; did you mean 'learning_rate'.*Known: frequency_r"):
        Experiment().with_settings(learning_rat=1)
    with pytest.raises(pydantic.ValidationError):
        Experiment(learning_rat=1)


def test_an_unknown_experiment_is_refused_and_the_nearest_is_suggested():
    with pytest.raises(SerError, match="no experiment 'table1-bets'; did you mean 'table1-best'.*Known: table1-base"):
        find_experiment("table1-bets")


@pytest.mark.parametrize(
    "settings",
    [
        {"frequency_range": 5},
        {"floor_db": 0},
        {"floor_db": float("-inf")},
        {"normalisation": "speaker"},
        {"vtlp": "always"},
        {"test_copies": 10},
        {"oversampling": 0},
        {"oversampling": 1.5},
        {"filters": ()},
        {"filters": (1,) * 7, "kernels": ((3, 3),) * 7, "strides": ((1, 1),) * 7},
        {"filters": (1, 0, 1, 1)},
        {"filters": (8, 8)},
        {"kernels": ((4, 3), (3, 3), (3, 3), (3, 3))},
        {"strides": ((0, 1), (2, 2), (2, 2), (2, 1))},
        {"hidden_size": 0},
        {"lstm_layers": 5},
        {"aggregation": "max"},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"learning_rate": float("inf")},
        {"learning_rate": float("nan")},
        {"momentum": 1},
        {"momentum": float("nan")},
        {"weight_decay": -1},
        {"weight_decay": float("inf")},
        {"weight_decay": float("nan")},
        {"epochs": 0},
        {"patience": 0},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_by_name_with_what_was_given(settings):
    with pytest.raises(SerError, match=r"\(given: ") as caught:
        Experiment().with_settings(**settings)
    assert str(caught.value).startswith((*settings, "settings"))


def test_a_configuration_cannot_be_changed():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Experiment().epochs = 3


# Settings from the command line


def test_settings_are_json_or_plain_words():
    given = ["epochs=2", "vtlp=none", "filters=[4, 8]", "learning_rate=1e-3", 'aggregation="last"']
    assert parse_settings(given) == {
        "epochs": 2, "vtlp": "none", "filters": [4, 8], "learning_rate": 1e-3, "aggregation": "last",
    }  # fmt: skip
    assert parse_settings([]) == {}


@pytest.mark.parametrize(
    "given, message", [(["epochs"], "'epochs' is not KEY=VALUE"), (["epochs=2", "epochs=3"], "'epochs' is given twice")]
)
def test_settings_that_cannot_be_read_are_refused(given, message):
    with pytest.raises(SerError, match=message):
        parse_settings(given)
