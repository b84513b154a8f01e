"""Experiments: each is what its name says, all of them run, no key is unknown, and every key has an effect."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pydantic
import pytest

from ser_lib import audio, corpora, features, training
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import (
    BATCH_SIZES,
    CONVOLUTIONS,
    EXPERIMENTS,
    FAMILIES,
    NO_FAMILY,
    Experiment,
    batch_name,
    compared,
    depth_name,
    family_of,
    find_experiment,
    members,
    parse_settings,
)
from ser_lib.features import open_store
from ser_lib.model import receptive_field
from ser_lib.protocols import PROTOCOLS, find_fold

RESULTS = Path(__file__).resolve().parents[1] / "results"

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
    "pooling": {"pooling": "max"},
    "hidden_size": {"hidden_size": 5},
    "lstm_layers": {"lstm_layers": 2},
    "aggregation": {"aggregation": "last"},
    "recurrent_normalisation": {"recurrent_normalisation": "all"},
    "statistics_momentum": {"statistics_momentum": 0.1},
    "batch_size": {"batch_size": 16},
    "learning_rate": {"learning_rate": 0.02},
    "momentum": {"momentum": 0.5},
    "beta": {"beta": 2.0},
    "convolution_learning_rate": {"convolution_learning_rate": 0.02},
    "convolution_momentum": {"convolution_momentum": 0.5},
    "convolution_beta": {"convolution_beta": 2.0},
    "recurrent_learning_rate": {"recurrent_learning_rate": 0.02},
    "recurrent_momentum": {"recurrent_momentum": 0.5},
    "recurrent_beta": {"recurrent_beta": 2.0},
    "learning_rate_schedule": {"learning_rate_schedule": "cosine"},
    "momentum_schedule": {"momentum_schedule": "cosine"},
    "beta_schedule": {"beta_schedule": "cosine"},
    "weight_decay": {"weight_decay": 0.1},
    "epochs": {"epochs": 3},
    "patience": {"patience": 1},
    "protocol": {"protocol": "utterances"},
}
# A GPU alone multiplies in TF32: what the setting does is tested in test_device.py.
ON_A_GPU = {"precision": {"precision": "tf32"}}
BESIDE = {
    # Weights that do not move never beat the first epoch: only then does patience run out at a known epoch.
    "patience": {"learning_rate": 1e-30, "epochs": 3},
    "statistics_momentum": {"recurrent_normalisation": "all"},
}
TECHNIQUES = {
    "pooling", "recurrent_normalisation", "statistics_momentum", "beta", "learning_rate_schedule", "momentum_schedule",
    "beta_schedule", "convolution_learning_rate", "convolution_momentum", "convolution_beta", "recurrent_learning_rate",
    "recurrent_momentum", "recurrent_beta", "precision", "protocol",
}  # fmt: skip


@pytest.fixture(scope="module")
def outcome(tiny_corpus, tmp_path_factory):
    """A function from an experiment to what its two epochs leave behind; each is run once."""
    data, made = tmp_path_factory.mktemp("data"), {}

    def run(experiment: Experiment):
        if experiment.digest not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SER_DATA", str(data))
                store = open_store(tiny_corpus, experiment.floor_db)
            fold = find_fold(tiny_corpus, experiment.protocol, 1)
            made[experiment.digest] = training.train(tiny_corpus, store, experiment, fold, 0)
        return made[experiment.digest]

    return run


# Every key has an effect


def test_every_setting_is_tested_for_its_effect():
    assert {*CHANGES, *ON_A_GPU} == set(Experiment.model_fields)


@pytest.mark.parametrize("setting", CHANGES)
def test_changing_this_setting_alone_changes_what_a_run_leaves_behind(setting, tiny_experiment, outcome):
    base = tiny_experiment.with_settings(**BESIDE.get(setting, {}))
    changed = base.with_settings(**CHANGES[setting])
    assert [key for key in Experiment.model_fields if getattr(base, key) != getattr(changed, key)] == [setting]
    before, after = outcome(base), outcome(changed)
    parts = ("history", "gradients", "updates", "predictions")
    assert not all(getattr(before, part).equals(getattr(after, part)) for part in parts)


@pytest.mark.parametrize("value", ["none", "epoch", "utterance"])
def test_the_three_kinds_of_vtlp_differ(value, tiny_experiment, outcome):
    others = {"none", "epoch", "utterance"} - {value}
    history = outcome(tiny_experiment.with_settings(vtlp=value)).history
    assert not any(history.equals(outcome(tiny_experiment.with_settings(vtlp=other)).history) for other in others)


@pytest.mark.parametrize("value", PROTOCOLS)
def test_the_protocols_differ_in_who_chooses_the_epoch_or_who_is_tested(value, tiny_experiment, outcome):
    own = outcome(tiny_experiment.with_settings(protocol=value))
    for protocol in set(PROTOCOLS) - {value}:
        other = outcome(tiny_experiment.with_settings(protocol=protocol))
        assert not (own.history.equals(other.history) and own.predictions.equals(other.predictions))


@pytest.mark.parametrize("value", ["none", "all", "gate", "frame"])
def test_the_scopes_of_recurrent_batch_normalisation_differ(value, tiny_experiment, outcome):
    others = {"none", "all", "gate", "frame"} - {value}
    history = outcome(tiny_experiment.with_settings(recurrent_normalisation=value)).history
    for other in others:
        assert not history.equals(outcome(tiny_experiment.with_settings(recurrent_normalisation=other)).history)


# What names a run


@pytest.mark.parametrize("setting, change", (CHANGES | ON_A_GPU).items(), ids=[*CHANGES, *ON_A_GPU])
def test_changing_this_setting_alone_changes_the_digest(setting, change, tiny_experiment):
    base = tiny_experiment.with_settings(**BESIDE.get(setting, {}))
    assert base.with_settings(**change).digest != base.digest
    assert len(base.digest) == 12 and int(base.digest, 16) >= 0


def test_the_digest_is_the_same_as_if_a_technique_that_is_off_were_not_there(monkeypatch, tiny_experiment):
    fields = Experiment.model_fields
    assert {name for name in fields if fields[name].json_schema_extra["technique"]} == TECHNIQUES
    before, true_dump = tiny_experiment.digest, Experiment.model_dump
    for technique in TECHNIQUES:

        def dump(self, missing=technique) -> dict:
            return {key: value for key, value in true_dump(self).items() if key != missing}

        monkeypatch.setattr(Experiment, "model_dump", dump)
        assert tiny_experiment.digest == before, technique


def test_the_runs_that_were_collected_are_those_of_the_present_configurations():
    tables = [pd.read_csv(file) for file in sorted(RESULTS.glob("*/*/runs.csv"))]
    collected = pd.concat(tables)[["corpus", "experiment", "configuration"]].drop_duplicates()
    table1 = ["table1-baseline", "table1-best", "table1-oversampling", "table1-vtlp"]
    assert {("emodb", name) for name in table1} <= set(zip(collected["corpus"], collected["experiment"], strict=True))
    for row in collected.itertuples():
        assert row.configuration == find_experiment(row.experiment).digest, row


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


# Families: each experiment differs from the one that it is compared with in what is asked, and in nothing else

# Family -> every setting in which its experiments differ from their references.
ASKED = {
    "table1": {"oversampling", "vtlp", "test_copies", "frequency_range"},
    "table3": {"recurrent_normalisation", "batch_size", "learning_rate"},
    "large-batches": {"batch_size", "learning_rate"},
    "batch-size-without": {"batch_size", "learning_rate"},
    "batchnorm-depth": {"recurrent_normalisation"},
    "batchnorm-scope": {"recurrent_normalisation"},
    "layerwise": {
        f"{module}_{setting}"
        for module in ("convolution", "recurrent")
        for setting in ("learning_rate", "momentum", "beta")
    },
    "schedules": {"learning_rate_schedule", "momentum_schedule", "beta_schedule"},
    "depth": {"filters", "kernels", "strides", "lstm_layers"},
    "pooling": {"pooling"},
    "normalisation": {"normalisation"},
    "normalisation-slow": {"normalisation"},
    "vtlp": {"vtlp", "test_copies"},
    "alone": {"oversampling", "vtlp", "test_copies", "frequency_range"},
    "protocol": {"protocol", "normalisation"},
}
ONE_AT_A_TIME = [
    "batchnorm-depth",
    "batchnorm-scope",
    "layerwise",
    "schedules",
    "pooling",
    "normalisation",
    "normalisation-slow",
    "protocol",
]


def differences(family: str) -> dict[str, dict]:
    """Each experiment of a family -> the settings in which it differs from its reference, with its own values."""
    return {name: differing(name, reference) for name, reference in FAMILIES[family].references.items()}


def test_every_experiment_but_the_small_study_is_in_a_family_and_every_member_is_an_experiment():
    assert {name for family in FAMILIES.values() for name in family.experiments} == set(EXPERIMENTS) - {"quick"}


def test_a_name_is_an_experiment_or_a_family_and_fit_for_a_folder():
    assert not set(EXPERIMENTS) & set(FAMILIES)
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in [*EXPERIMENTS, *FAMILIES])


def test_what_every_family_asks_is_written_down_here():
    assert set(ASKED) == set(FAMILIES)
    assert all(family.question.endswith("?") for family in FAMILIES.values())


@pytest.mark.parametrize("family", ASKED)
def test_an_experiment_differs_from_its_reference_in_what_is_asked_alone(family):
    changed = differences(family)
    assert all(changed.values())
    assert set().union(*changed.values()) == ASKED[family]


@pytest.mark.parametrize("family", ONE_AT_A_TIME)
def test_one_thing_is_changed_at_a_time(family):
    assert all(len(changed) == 1 for changed in differences(family).values())


def test_a_techniques_effect_on_its_own_is_what_table_1_adds():
    added, alone = differences("table1").values(), differences("alone").values()
    assert list(added) == list(alone)


def test_batch_sizes_of_table_3_with_recurrent_batch_normalisation():
    changed = differences("table3")
    assert {settings.pop("recurrent_normalisation") for settings in changed.values()} == {"all"}
    assert [(name, settings.get("batch_size", 16)) for name, settings in changed.items()] == [
        ("table3-16", 16), ("table3-32", 32), ("table3-32-scaled", 32), ("table3-64", 64), ("table3-64-scaled", 64),
    ]  # fmt: skip
    # The same sizes without it, and larger ones with it, differ from their own references in the same way.
    without = differences("batch-size-without")
    assert {f"{name}-without": settings for name, settings in changed.items() if settings} == without
    assert {settings["batch_size"] for settings in differences("large-batches").values()} == {128, 256}
    assert all(find_experiment(name).recurrent_normalisation == "all" for name in members("large-batches"))


@pytest.mark.parametrize("size", BATCH_SIZES)
def test_a_scaled_learning_rate_is_proportional_to_the_batch_size_and_any_other_is_held(size):
    best = find_experiment("table1-best")
    held, scaled = (find_experiment(batch_name(size, scaled)) for scaled in (False, True))
    assert held.batch_size == scaled.batch_size == size
    assert held.learning_rate == best.learning_rate
    assert scaled.learning_rate == pytest.approx(best.learning_rate * size / best.batch_size)
    assert (held is scaled) == (size == best.batch_size)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_recurrent_batch_normalisation_is_tried_at_every_depth_of_the_bi_lstm(layers):
    experiment = find_experiment(f"batchnorm-4x{layers}")
    assert (len(experiment.filters), experiment.lstm_layers) == (4, layers)
    assert FAMILIES["batchnorm-depth"].references[f"batchnorm-4x{layers}"] == depth_name(4, layers)


def test_all_scopes_of_recurrent_batch_normalisation_are_compared():
    scopes = [find_experiment(name).recurrent_normalisation for name in members("batchnorm-scope")]
    assert scopes == ["all", "gate", "frame"]


def test_each_update_parameter_of_each_module_is_tried_below_and_above_the_common_one():
    tried = {setting: set() for setting in ASKED["layerwise"]}
    for name, changed in differences("layerwise").items():
        [(setting, value)] = changed.items()
        common = getattr(find_experiment("table1-baseline"), setting.partition("_")[2])
        tried[setting].add(value > common)
        assert value != common and name == f"{setting.replace('_', '-')}-{value:g}"
    assert all(sides == {False, True} for sides in tried.values())


def test_schedules_are_named_after_their_setting_and_shape():
    for name, changed in differences("schedules").items():
        [(setting, shape)] = changed.items()
        assert name == f"{setting.removesuffix('_schedule').replace('_', '-')}-{shape}"


@pytest.mark.parametrize("convolutions", range(1, 7))
@pytest.mark.parametrize("layers", range(1, 5))
def test_the_depth_study_has_every_number_of_convolutions_and_of_bi_lstm_layers(convolutions, layers):
    name = depth_name(convolutions, layers)
    experiment = find_experiment(name)
    assert name in members("depth") and len(members("depth")) == 24
    assert (len(experiment.filters), experiment.lstm_layers) == (convolutions, layers)
    assert {part: getattr(experiment, part) for part in CONVOLUTIONS[convolutions]} == CONVOLUTIONS[convolutions]


@pytest.mark.parametrize("convolutions", range(1, 7))
def test_what_the_bi_lstm_reads_has_the_same_size_and_nearly_the_same_view_however_many_convolutions(convolutions):
    stack = CONVOLUTIONS[convolutions]
    assert {len(part) for part in stack.values()} == {convolutions}
    assert stack["filters"][-1] == 32
    assert np.prod(stack["strides"], axis=0).tolist() == [16, 4]
    bins, frames = receptive_field(stack["kernels"], stack["strides"])
    assert 33 <= bins <= 37 and 25 <= frames <= 27


def test_four_convolutions_are_the_baselines():
    assert len(Experiment().filters) == 4 and depth_name(4, 1) == "table1-baseline"
    assert CONVOLUTIONS[4] == {name: getattr(Experiment(), name) for name in ("filters", "kernels", "strides")}
    assert list(CONVOLUTIONS) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("family, rate", [("normalisation", 0.01), ("normalisation-slow", 0.001)])
def test_normalisation_is_left_out_for_every_number_of_convolutions(family, rate):
    assert [len(find_experiment(name).filters) for name in FAMILIES[family].references] == list(range(1, 7))
    assert {find_experiment(name).learning_rate for name in members(family)} == {rate}


def test_protocols_are_named_after_what_they_change_and_eq_2_is_taken_from_training_alone_in_one():
    changed = differences("protocol")
    assert changed.pop("normalisation-training") == {"normalisation": "training"}
    assert changed == {f"protocol-{value}": {"protocol": value} for value in PROTOCOLS if value != "speakers"}


def test_members_are_a_familys_experiments_references_included_each_once_or_the_experiment_itself():
    assert members("pooling") == ["table1-baseline", "pooling-max"]
    assert members("table1") == ["table1-baseline", "table1-oversampling", "table1-vtlp", "table1-best"]
    assert members("quick") == ["quick"]
    for family in FAMILIES:
        assert len(set(members(family))) == len(members(family))


@pytest.mark.parametrize("name, nearest", [("pooolng", "pooling"), ("table1-bets", "table1-best")])
def test_what_is_neither_experiment_nor_family_is_refused_and_the_nearest_is_suggested(name, nearest):
    with pytest.raises(SerError, match=f"no experiment or family '{name}'; did you mean '{nearest}'.*lists them all"):
        members(name)


@pytest.mark.parametrize(
    "names, reference, pairs",
    [
        (["pooling"], "", {"pooling-max": "table1-baseline"}),
        (["pooling-max", "quick", "frequency-8"], "", {"quick": "pooling-max", "frequency-8": "pooling-max"}),
        (["pooling"], "quick", {"table1-baseline": "quick", "pooling-max": "quick"}),
        (["pooling", "quick"], "", {"pooling-max": "table1-baseline", "table1-baseline": "quick"}),
        (["batchnorm-scope", "pooling"], "", {
            "batchnorm-gate": "batchnorm-4x1", "batchnorm-frame": "batchnorm-4x1", "pooling-max": "table1-baseline",
        }),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_compared_with_what(names, reference, pairs):
    assert compared(names, reference) == pairs


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_members_are_compared_as_the_family_says(family):
    assert compared([family]) == FAMILIES[family].references


@pytest.mark.parametrize("order", [["vtlp", "alone"], ["alone", "vtlp"]])
def test_a_familys_word_counts_for_what_is_a_reference_in_another(order):
    assert compared(order) == dict(FAMILIES["vtlp"].references) | dict(FAMILIES["alone"].references)


@pytest.mark.parametrize(
    "names, reference, message",
    [
        (["quick"], "", "quick: name two experiments or more, or a family .*depth"),
        (["quick"], "quick", "name two experiments or more"),
        (["pooolng"], "", "no experiment or family 'pooolng'"),
        (["pooling"], "quik", "no experiment 'quik'; did you mean 'quick'"),
    ],
)
def test_nothing_to_compare_is_refused(names, reference, message):
    with pytest.raises(SerError, match=message):
        compared(names, reference)


# Every experiment runs


@pytest.fixture(scope="module")
def small_corpus(synthetic_root):
    """Three sessions of the synthetic corpus, the two shortest utterances of each speaker and emotion."""
    whole = corpora.load("synthetic", synthetic_root)
    shortest = whole[whole["session"] <= 3].sort_values("duration").groupby(["speaker", "emotion"]).head(2)
    table = shortest.sort_values("utterance", ignore_index=True)
    table.attrs = whole.attrs
    return table


@pytest.fixture(scope="module")
def small_store(small_corpus):
    """Spectrograms of that selection, in memory."""
    return features.FeatureStore.of([features.spectrogram(audio.load(path)) for path in small_corpus["path"]])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_this_experiment_runs_for_two_epochs_on_the_synthetic_corpus(name, small_corpus, small_store):
    experiment = find_experiment(name).with_settings(epochs=2)
    fold = find_fold(small_corpus, experiment.protocol, 1)
    outcome = training.train(small_corpus, small_store, experiment, fold, 0)
    assert outcome.history["epoch"].tolist() == [1, 2] and np.isfinite(outcome.history).all(axis=None)
    assert outcome.predictions["utterance"].tolist() == small_corpus["utterance"].iloc[fold.test].tolist()
    probabilities = outcome.predictions[[f"p_{emotion}" for emotion in EMOTIONS]]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-6)
    layers = [f"conv {number}" for number in range(1, len(experiment.filters) + 1)]
    layers += [f"lstm {number}" for number in range(1, experiment.lstm_layers + 1)] + ["dense"]
    for steps in (outcome.gradients, outcome.updates):
        assert list(steps) == ["epoch", "step", *layers] and set(steps["epoch"]) == {1, 2}
        assert (steps[layers] > 0).all(axis=None) and np.isfinite(steps[layers]).all(axis=None)


# What is refused


@pytest.mark.parametrize("text", ["oversampling=true", "epochs=false"])
def test_true_and_false_are_not_taken_for_one_and_zero(text):
    """What asks for oversampling would be a run without it: twice is 2."""
    with pytest.raises(SerError, match=f"{text.split('=')[0]}: true and false"):
        Experiment().with_settings(**parse_settings([text]))


@pytest.mark.parametrize("text", ["filters=[16,24,32,true]", "strides=[[2,2],[2,2],[2,true],[2,1]]"])
def test_true_is_not_taken_for_one_inside_a_list_either(text):
    with pytest.raises(SerError, match=r"(filters\.3|strides\.2\.1): Input should be a valid integer"):
        Experiment().with_settings(**parse_settings([text]))


def test_an_unknown_setting_is_refused_and_the_nearest_is_suggested():
    with pytest.raises(SerError, match=r"no setting 'qqq'\. Known: frequency_r"):
        Experiment().with_settings(qqq=1)
    with pytest.raises(SerError, match="no setting 'learning_rat'; did you mean 'learning_rate'.*Known: frequency_r"):
        Experiment().with_settings(learning_rat=1)
    with pytest.raises(pydantic.ValidationError):
        Experiment(learning_rat=1)


def test_an_unknown_experiment_is_refused_and_the_nearest_is_suggested():
    with pytest.raises(SerError, match="no experiment 'table1-bets'; did you mean 'table1-best'.*lists them all"):
        find_experiment("table1-bets")


RATES = (0, -1, 1e39, float("inf"), float("nan"))  # 1e39 is more than single precision holds
UPDATES = {
    "beta": RATES,
    "convolution_learning_rate": RATES,
    "convolution_beta": RATES,
    "convolution_momentum": (-0.1, 1, float("nan")),
    "recurrent_learning_rate": RATES,
    "recurrent_beta": RATES,
    "recurrent_momentum": (-0.1, 1, float("nan")),
}


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
        {"pooling": "mean"},
        {"hidden_size": 0},
        {"lstm_layers": 5},
        {"aggregation": "max"},
        {"recurrent_normalisation": "batch"},
        {"recurrent_normalisation": None},
        {"statistics_momentum": 0.1},  # without recurrent normalisation there are no statistics
        {"statistics_momentum": 0},
        {"statistics_momentum": 1.1},
        {"statistics_momentum": float("nan")},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"learning_rate": 1e39},
        {"learning_rate": float("inf")},
        {"learning_rate": float("nan")},
        {"momentum": 1},
        {"momentum": float("nan")},
        {"momentum": None},
        *({key: value} for key in UPDATES for value in UPDATES[key]),
        {"learning_rate_schedule": "linear"},
        {"momentum_schedule": None},
        {"beta_schedule": "cosin"},
        {"weight_decay": -1},
        {"weight_decay": 1e39},
        {"weight_decay": float("inf")},
        {"weight_decay": float("nan")},
        {"epochs": 0},
        {"patience": 0},
        {"protocol": "speaker"},
        {"protocol": None},
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


def test_an_experiment_belongs_to_the_family_that_compares_it():
    belongs = {name: family_of(name) for name in EXPERIMENTS}
    assert belongs["table1-baseline"] == "table1"  # a reference of many
    assert belongs["depth-4x2"] == "depth"  # a reference of the family before
    assert belongs["normalisation-slow-3"] == "normalisation-slow"  # compared with nothing
    assert belongs["quick"] == NO_FAMILY
    assert set(belongs.values()) == {*FAMILIES, NO_FAMILY}
