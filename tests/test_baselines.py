"""Protects the baselines: no test row is fitted on, the validation speaker alone chooses, and gaps read as gaps."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ser_lib import (
    __main__,
    baselines,
    collection,
    corpora,
    features,
    metrics,
    origins,
    paths,
    scoring,
    tables,
    wording,
)
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.folds import speaker_folds
from tidy import NO_FAILURES

HEARING = ["logistic-spectrogram", "svm-egemaps"]


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    monkeypatch.setattr(origins, "code_version", lambda: "aaaaaaaaaaaa")


class Spy(ClassifierMixin, BaseEstimator):
    """Answers rightly where its C is good, and writes down what it is shown; the only feature is the row's number."""

    def __init__(self, C, answers, right, seen):
        self.C, self.answers, self.right, self.seen = C, answers, right, seen

    def fit(self, x, y):
        self.seen.append(("fit", self.C, x[:, 0].astype(int).tolist(), list(y)))
        return self

    def predict(self, x):
        rows = x[:, 0].astype(int)
        self.seen.append(("predict", self.C, rows.tolist()))
        wrong = np.roll(EMOTIONS, 1)[[EMOTIONS.index(answer) for answer in self.answers[rows]]]
        return np.where([self.right(self.C, row) for row in rows], self.answers[rows], wrong)


@pytest.fixture
def spied(tiny_table):
    """Run one fold with spies: what they saw, the predictions, the C chosen, and the fold."""
    emotions = tiny_table["emotion"].to_numpy(dtype=object)
    rows = np.arange(len(tiny_table), dtype=float)[:, None]
    fold = speaker_folds(tiny_table)[2]

    def run(right):
        seen = []
        baseline = baselines.Baseline("spy", None, lambda C: Spy(C, emotions, right, seen), (0.01, 0.1, 1.0))
        return seen, *baselines.predict_fold(baseline, rows, emotions, fold), fold

    return run


@pytest.fixture
def noise(tiny_table):
    """Features of the made-up corpus that tell emotions apart, but not well: shape (utterances, 5)."""
    random = np.random.default_rng(5)
    centres = {emotion: random.normal(0, 1, 5) for emotion in EMOTIONS}
    return np.array([centres[emotion] + random.normal(0, 1.5, 5) for emotion in tiny_table["emotion"]])


# What is fitted on


def test_only_training_rows_are_fitted_on(spied, tiny_table):
    seen, *_, fold = spied(lambda C, row: True)
    fits = [event for event in seen if event[0] == "fit"]
    assert [C for _, C, *_ in fits] == [0.01, 0.1, 1.0]
    for _, _, rows, labels in fits:
        assert rows == fold.train.tolist()
        assert labels == tiny_table["emotion"].iloc[fold.train].tolist()


def test_the_test_speaker_is_predicted_once_and_last(spied):
    seen, prediction, _, fold = spied(lambda C, row: True)
    of_test = [place for place, event in enumerate(seen) if set(event[2]) & set(fold.test)]
    assert of_test == [len(seen) - 1] and seen[-1][2] == fold.test.tolist()
    assert len(prediction) == len(fold.test)


@pytest.mark.parametrize("name", HEARING)
def test_test_rows_move_no_prediction_of_another_test_row(tiny_table, noise, name):
    """Scaling included: were mean and deviation taken over test rows, too, these values would ruin the others."""
    fold = speaker_folds(tiny_table)[2]
    disturbed = noise.copy()
    disturbed[fold.test[1::2]] += 1e4
    parts = [baselines.cross_validate(name, "training", tiny_table, values) for values in (noise, disturbed)]
    kept = [part.loc[part["fold"] == fold.number, "prediction"].tolist()[::2] for part in parts]
    assert kept[0] == kept[1] and len(set(kept[0])) > 1


@pytest.mark.parametrize("normalisation", ["training", "speaker"])
@pytest.mark.parametrize("name", HEARING)
def test_labels_of_the_test_speaker_change_no_prediction(tiny_table, noise, name, normalisation):
    fold = speaker_folds(tiny_table)[0]
    mislabelled = tiny_table.copy()
    column = mislabelled.columns.get_loc("emotion")
    mislabelled.iloc[fold.test, column] = np.roll(tiny_table["emotion"].iloc[fold.test], 3)
    parts = [baselines.cross_validate(name, normalisation, table, noise) for table in (tiny_table, mislabelled)]
    of_fold = [part.loc[part["fold"] == fold.number, "prediction"].tolist() for part in parts]
    assert of_fold[0] == of_fold[1]


# Who chooses C


@pytest.mark.parametrize("good", [0.01, 0.1, 1.0])
def test_the_validation_speaker_chooses_C_and_the_test_speaker_does_not(spied, good, tiny_table):
    fold = speaker_folds(tiny_table)[2]
    flattering = {0.01: 1.0, 0.1: 0.01, 1.0: 0.1}[good]  # perfect on everybody but the validation speaker
    _, prediction, chosen, _ = spied(lambda C, row: C == (good if row in fold.validation else flattering))
    assert chosen == good
    assert not (prediction == tiny_table["emotion"].iloc[fold.test].to_numpy()).any()


def test_of_equally_good_C_the_smallest_is_taken(spied):
    assert spied(lambda C, row: True)[2] == 0.01
    assert spied(lambda C, row: C >= 0.1)[2] == 0.1


def test_C_is_chosen_by_unweighted_accuracy(spied, tiny_table):
    emotions = tiny_table["emotion"].to_numpy()
    first_anger = np.flatnonzero((emotions == "anger") & (tiny_table["speaker"] == "2M").to_numpy())[0]

    def right(C, row):
        """Of 4, 3, 2, 2 utterances: 8 of 11 right, but in two classes and a half; or 7 of 11, in three classes."""
        if C == 0.01:
            return emotions[row] in ("neutral", "sadness") or row == first_anger
        return C == 0.1 and emotions[row] != "neutral"

    *_, chosen, fold = spied(right)
    assert first_anger in fold.validation and chosen == 0.1


# Normalisation by speaker


def test_each_speaker_is_normalised_by_their_own_rows(noise, tiny_table):
    speakers = tiny_table["speaker"].to_numpy()
    normalised = baselines.normalise_by_speaker(noise, speakers)
    for speaker in set(speakers):
        own = noise[speakers == speaker]
        np.testing.assert_allclose(normalised[speakers == speaker], (own - own.mean(0)) / own.std(0), atol=1e-12)


def test_one_speaker_does_not_change_another(noise, tiny_table):
    own = tiny_table["speaker"].to_numpy() == "2M"
    louder = np.where(own[:, None], 100 * noise + 7, noise)
    before, after = (baselines.normalise_by_speaker(each, tiny_table["speaker"].to_numpy()) for each in (noise, louder))
    np.testing.assert_array_equal(before[~own], after[~own])
    np.testing.assert_allclose(before[own], after[own], atol=1e-9)  # an offset and a scale of the speaker's are gone


def test_a_feature_that_is_constant_for_a_speaker_is_zero():
    normalised = baselines.normalise_by_speaker(np.array([[3.0, 1], [3, 2], [5, 5]]), np.array(["a", "a", "b"]))
    np.testing.assert_array_equal(normalised, [[0, -1], [0, 1], [0, 0]])


def test_only_the_variant_named_so_is_normalised_by_speaker(tiny_table, noise):
    """An offset of each speaker's own ruins what is fitted on others, unless each speaker is normalised."""
    offset = {speaker: 50.0 * place for place, speaker in enumerate(sorted(set(tiny_table["speaker"])))}
    shifted = noise + tiny_table["speaker"].map(offset).to_numpy(dtype=float)[:, None]
    for name in HEARING:
        by_speaker = [baselines.cross_validate(name, "speaker", tiny_table, each) for each in (noise, shifted)]
        pd.testing.assert_frame_equal(*by_speaker)
        assert set(by_speaker[0]["normalisation"]) == {"speaker"}
        by_training = [baselines.cross_validate(name, "training", tiny_table, each) for each in (noise, shifted)]
        assert (by_training[0]["prediction"] != by_training[1]["prediction"]).any()


# The methods


def test_the_majority_is_that_of_the_training_rows(tiny_table):
    fold = speaker_folds(tiny_table)[0]
    emotions = tiny_table["emotion"].to_numpy(dtype=object)
    emotions[fold.train] = ["sadness"] * 24 + ["anger"] * (len(fold.train) - 24)
    emotions[fold.test] = "anger"
    assert pd.Series(emotions).mode().tolist() == ["anger"]  # of the whole corpus
    zeros = baselines.no_features(tiny_table)
    prediction, chosen = baselines.predict_fold(baselines.BASELINES["majority"], zeros, emotions, fold)
    assert set(prediction) == {"sadness"} and len(prediction) == len(fold.test) and chosen is None


def test_rare_classes_count_as_much_as_frequent_ones():
    """Two overlapping classes, ten to one: weighted, half of the overlap goes to each."""
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(0, 1, (1000, 1)), random.normal(1, 1, (100, 1))])
    y = np.array(["neutral"] * 1000 + ["anger"] * 100)
    for classifier in (baselines.logistic_regression, baselines.linear_svm):
        recalls = metrics.recall_per_class(y, classifier(0.1).fit(x, y).predict(x), ["neutral", "anger"])
        assert recalls == pytest.approx(recalls.mean(), abs=0.1) and recalls.min() > 0.55


def test_a_fit_that_is_cut_short_is_an_error(tiny_table, noise):
    short = baselines.Baseline("cut short", None, lambda C: LogisticRegression(C=C, max_iter=1))
    with pytest.raises(ConvergenceWarning):
        baselines.predict_fold(short, noise, tiny_table["emotion"].to_numpy(dtype=object), speaker_folds(tiny_table)[0])


# Features


def test_the_pooled_spectrogram_is_mean_and_deviation_of_each_bin_over_time(tiny_table, tiny_store):
    pooled = baselines.pooled_spectrogram(tiny_table)
    assert pooled.shape == (len(tiny_table), 2 * features.BINS[4])
    picture = tiny_store.picture(7).astype(float)
    for bin_ in (0, 100, 256):
        assert pooled[7, bin_] == pytest.approx(picture[bin_].mean(), abs=1e-4)
        assert pooled[7, 257 + bin_] == pytest.approx(picture[bin_].std(), abs=1e-4)


def test_egemaps_is_computed_once_and_kept(tiny_table, monkeypatch):
    opensmile = baselines.opensmile_module()
    values = baselines.egemaps(tiny_table)
    assert values.shape == (len(tiny_table), 88) and np.isfinite(values).all()
    extractor = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    direct = extractor.process_file(tiny_table["path"].iloc[3]).to_numpy()[0]
    np.testing.assert_allclose(values[3], direct, rtol=1e-5, atol=1e-6)
    monkeypatch.setattr(opensmile, "Smile", lambda **_: pytest.fail("computed again"))
    np.testing.assert_array_equal(baselines.egemaps(tiny_table), values)


def test_egemaps_of_another_corpus_is_another_file(tiny_table):
    baselines.egemaps(tiny_table)
    tiny_table.attrs["fingerprint"] = "another"
    baselines.egemaps(tiny_table.iloc[:3].reset_index(drop=True))
    files = sorted((paths.data_folder() / "features").glob("tiny-egemaps-*.csv"))
    assert sorted(len(pd.read_csv(file)) for file in files) == [3, len(tiny_table)]


def test_a_file_of_features_that_does_not_fit_is_refused(tiny_table):
    baselines.egemaps(tiny_table)
    [file] = (paths.data_folder() / "features").glob("tiny-egemaps-*.csv")
    pd.read_csv(file).iloc[::-1].to_csv(file, index=False)
    with pytest.raises(SerError, match="does not fit its corpus: delete the file"):
        baselines.egemaps(tiny_table)


def test_features_that_are_not_finite_are_refused(tiny_table, monkeypatch):
    opensmile = baselines.opensmile_module()
    gap = pd.DataFrame([[1.0, np.nan]])
    monkeypatch.setattr(opensmile.Smile, "process_signal", lambda *_: gap)
    with pytest.raises(SerError, match=r"\.wav: openSMILE finds no finite eGeMAPSv02 in it"):
        baselines.egemaps(tiny_table)


# All of it, kept and read


@pytest.fixture
def made(tiny_table):
    """The baselines of the made-up corpus, kept: the predictions and the folder."""
    predictions = baselines.run(tiny_table)
    return predictions, baselines.save(predictions, tiny_table)


def test_every_utterance_is_tested_once_by_each_variant(made, tiny_table):
    predictions, _ = made
    assert list(predictions) == baselines.COLUMNS
    for _, part in predictions.groupby(["baseline", "normalisation"]):
        assert sorted(part["utterance"]) == tiny_table["utterance"].tolist()
        truth = tiny_table.set_index("utterance")["emotion"]
        assert part["truth"].tolist() == truth[part["utterance"]].tolist()
        for fold in speaker_folds(tiny_table):
            assert set(part.loc[part["fold"] == fold.number, "speaker"]) == {fold.test_speaker}
    variants = baselines.as_runs(predictions)["experiment"].unique().tolist()
    assert variants == list(tables.baseline_variants()) and len(variants) == 5


def test_what_is_kept_is_read_back(made, tiny_table):
    predictions, folder = made
    assert folder == paths.results_folder() / "tiny" / "baselines"
    expected = predictions.assign(fingerprint=tiny_table.attrs["fingerprint"])
    pd.testing.assert_frame_equal(baselines.load(), expected, check_dtype=False)
    origin = json.loads((folder / "provenance.json").read_text())
    assert (origin["corpus"], origin["fingerprint"]) == ("tiny", tiny_table.attrs["fingerprint"])
    assert {"opensmile", "scikit-learn"} <= set(origin["packages"]) and origin["code"]
    assert origin["settings"] == json.loads(json.dumps(baselines.settings()))
    assert origin["settings"]["baselines"]["svm-egemaps"]["C"] == list(baselines.STRENGTHS)


def test_where_baselines_come_from_is_read_back_by_corpus(made, tmp_path):
    _, folder = made
    origin = json.loads((folder / "provenance.json").read_text())
    assert baselines.sources().to_dict("records") == [
        {"corpus": "tiny", "code": origin["code"], "hardware": origin["hardware"]}
    ]
    assert list(baselines.sources(tmp_path)) == ["corpus", "code", "hardware"] and baselines.sources(tmp_path).empty


def test_a_second_time_gives_the_same_predictions(made, tiny_table):
    predictions, folder = made
    before = (folder / baselines.FILE).read_bytes()
    baselines.save(baselines.run(tiny_table), tiny_table)
    assert (folder / baselines.FILE).read_bytes() == before


def test_baselines_are_not_taken_for_an_experiment(made):
    results = collection.load_results()
    assert results.predictions.empty and results.runs.empty
    assert len(baselines.load()) == len(made[0])


def test_predictions_on_a_licensed_corpus_go_where_git_does_not_look(made, tiny_table):
    tiny_table.attrs["corpus"] = "iemocap"
    folder = baselines.save(made[0], tiny_table)
    assert folder.relative_to(paths.results_folder()).parts == ("iemocap", "baselines")
    assert "/results/iemocap/" in (paths.PROJECT / ".gitignore").read_text().splitlines()


def test_no_baselines_are_an_empty_table(tmp_path):
    empty = baselines.load(tmp_path)
    assert empty.empty and list(empty) == [*baselines.COLUMNS, "fingerprint"]


def test_a_table_that_lacks_a_column_is_refused(made):
    predictions, folder = made
    predictions.drop(columns="fold").to_csv(folder / baselines.FILE, index=False)
    with pytest.raises(SerError, match=r"lacks the column\(s\) fold: write it again with .* --corpus tiny"):
        baselines.load()


@pytest.mark.parametrize("name", [baselines.FILE, "provenance.json"])
def test_a_damaged_file_is_named_with_what_to_do(made, name):
    file = made[1] / name
    for damage in (lambda: file.write_text(""), lambda: file.write_bytes(b"\xff\xfe,\n"), file.unlink):
        damage()
        if name != baselines.FILE or file.exists():  # no predictions: no baselines
            with pytest.raises(SerError, match=rf"^{file} .*: write it again with .* baselines --corpus tiny$"):
                baselines.load()


def test_a_damaged_file_of_features_is_named(tiny_table):
    baselines.egemaps(tiny_table)
    [file] = (paths.data_folder() / "features").glob("tiny-egemaps-*.csv")
    file.write_text("")
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*: delete the file"):
        baselines.egemaps(tiny_table)


@pytest.mark.parametrize("code", ["unknown", "aaaaaaaaaaaa+"])
def test_code_that_nobody_can_find_again_is_not_kept(tiny_table, monkeypatch, code):
    monkeypatch.setattr(origins, "code_version", lambda: code)
    with pytest.raises(SerError, match="commit it first"):
        baselines.save(of_baseline({1: 5}), tiny_table)
    assert not paths.results_folder().exists()


# The command line


@pytest.fixture
def command(monkeypatch, capsys):
    """Run ``python -m ser_lib baselines``: exit status, stdout, the last line of stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ser_lib", "baselines", *arguments])
        status = __main__.main()
        out, err = capsys.readouterr()
        return status, out, err.rstrip("\n").split("\n")[-1].rsplit("\r", 1)[-1]

    return run


def test_the_command_keeps_the_predictions_and_says_the_scores(command, tiny_table, monkeypatch):
    monkeypatch.setattr(corpora, "load", lambda *_, **__: tiny_table)
    status, out, _ = command("--corpus", "synthetic")
    assert status == 0
    *scores, place = out.rstrip("\n").split("\n")
    assert place == f"kept in {paths.results_folder() / 'tiny' / 'baselines'}"
    # Four of eleven utterances of each speaker are neutral.
    assert scores[0].endswith("majority/none: weighted accuracy 36.4 %, unweighted accuracy 25.0 % (mean over 6 folds)")
    assert len(scores) == 5 and len(baselines.load()) == 5 * len(tiny_table)


def test_an_unknown_corpus_is_one_line(command):
    assert command("--corpus", "synthetik")[0] == 1
    assert "did you mean 'synthetic'?" in command("--corpus", "synthetik")[2]


def test_without_opensmile_it_says_what_to_install_before_it_reads_anything(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    monkeypatch.setattr(corpora, "load", lambda *_, **__: pytest.fail("read the corpus first"))
    status, out, last = command("--corpus", "synthetic")
    assert (status, out) == (1, "") and last.startswith("error: openSMILE")
    assert "python -m pip install opensmile" in last and "not open source" in last


def test_everything_else_works_without_opensmile(monkeypatch, made):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    assert len(baselines.load()) and len(tables.baseline_scores(made[0])) == 5 * 6


# Tables


def of_network(ua_by_fold, experiment="table1-best", seed=0, corpus="emodb"):
    rows = [(corpus, experiment, fold, seed, f"s{fold}", 20, 10, ua / 2, ua) for fold, ua in ua_by_fold.items()]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "test_speaker", "utterances", "correct", "wa", "ua"])


def of_baseline(right_by_fold, name="svm-egemaps", normalisation="training", corpus="emodb"):
    """Of each fold's speaker 8 utterances, the first so many right, from 5 up: the others are taken for neutral."""
    truth = ["neutral"] * 5 + ["sadness", "anger", "happiness"]
    variant = (corpus, name, normalisation)
    rows = [
        (*variant, fold, f"s{fold}", f"{fold}-{place}", label, label if place < right else "neutral", 0.1)
        for fold, right in right_by_fold.items()
        for place, label in enumerate(truth)
    ]
    return pd.DataFrame(rows, columns=baselines.COLUMNS).assign(fingerprint="0123456789ab")


RUNS = pd.DataFrame({"corpus": ["emodb", "nemo"], "fingerprint": ["0123456789ab", "fedcba987654"]})
"""Where the network's runs come from."""


def test_the_table_has_baselines_and_network_and_says_what_is_missing():
    scored = of_network({fold: 0.8 for fold in range(1, 7)})
    predictions = of_baseline({1: 5, 2: 5, 3: 6, 4: 6, 5: 7, 6: 7})
    for metric, mean, network in (("ua", "50.0 [", "80.0 ["), ("wa", "75.0 [", "40.0 [")):
        table = tables.baselines_table(scored, NO_FAILURES, predictions, RUNS, metric)
        table = table.set_index(["Method", "Standardised by"])
        assert table.index.is_unique and len(table) == 7
        cells = table["Emo-DB"]
        assert cells["linear SVM, eGeMAPS", "training rows"].startswith(mean)
        assert cells["network, best model of Table 1", "whole dataset (eq. 2)"].startswith(network)
        assert (cells == wording.NOT_RUN).sum() == 5
        assert set(table["RAVDESS"]) == {wording.NOT_RUN} and set(table["IEMOCAP"]) == {wording.LICENCE}


def test_the_interval_is_that_of_the_other_tables():
    predictions = of_baseline({1: 5, 2: 5, 3: 6, 4: 6, 5: 7, 6: 7})
    table = tables.baselines_table(of_network({}), NO_FAILURES, predictions, RUNS, "ua")
    low, high = scoring.supported_interval(np.array([0.25, 0.25, 0.5, 0.5, 0.75, 0.75]))
    assert wording.with_interval(0.5, low, high) in table["Emo-DB"].tolist()


def test_a_table_of_nothing_is_all_gaps():
    table = tables.baselines_table(of_network({}), NO_FAILURES, baselines.load(), RUNS, "ua")
    assert set(table["Emo-DB"]) == {wording.NOT_RUN} and len(table) == 7
    assert set(tables.chosen_strengths(baselines.load())["nEMO"]) == {wording.NOT_RUN}
    table = tables.network_over_baselines(of_network({}), baselines.load(), RUNS, "table1-best", "ua")
    assert set(table["nEMO"]) == {wording.NOT_RUN}


def test_the_difference_is_the_networks_less_the_baselines_by_speaker():
    predictions = of_baseline({1: 5, 2: 6, 3: 7})  # UA 25, 50, 75
    seeds = [of_network({1: 0.35, 2: 0.5, 3: 0.85}, seed=0), of_network({1: 0.45, 2: 0.5, 3: 0.85}, seed=1)]
    table = tables.network_over_baselines(pd.concat(seeds), predictions, RUNS, "table1-best", "ua")
    cells = table.set_index(["Method", "Standardised by"])["Emo-DB"]
    assert cells["linear SVM, eGeMAPS", "training rows"] == "+8.3 (3 folds)"  # (15 + 0 + 10) / 3
    assert cells["majority class", "none"] == wording.NOT_RUN
    other = pd.concat(seeds).assign(test_speaker="somebody else")
    table = tables.network_over_baselines(other, predictions, RUNS, "table1-best", "ua")
    assert table["Emo-DB"].iloc[3] == wording.NOTHING_SHARED


def test_baselines_of_another_version_of_the_corpus_are_not_compared_with_the_network():
    """The same folds and speakers, of other utterances: nothing else would tell."""
    scored = of_network({1: 0.35, 2: 0.5})
    other = of_baseline({1: 5, 2: 6}).assign(fingerprint="ba9876543210")
    message = "emodb: the baselines are of the version ba9876543210 .* the runs of 0123456789ab: make them again"
    with pytest.raises(SerError, match=message):
        tables.network_over_baselines(scored, other, RUNS, "table1-best", "ua")
    with pytest.raises(SerError, match=message):
        tables.baselines_table(scored, NO_FAILURES, other, RUNS, "ua")


def test_the_table_of_choices_counts_folds():
    predictions = of_baseline({1: 5, 2: 5, 3: 5})
    predictions.loc[predictions["fold"] == 2, "C"] = 1e-4
    table = tables.chosen_strengths(predictions).set_index(["Method", "Standardised by"])
    assert table.loc[("linear SVM, eGeMAPS", "training rows"), "Emo-DB"] == "0.0001 (1), 0.1 (2)"
    assert len(table) == 4 and "majority class" not in table.index.get_level_values(0)


def test_seeds_that_only_some_folds_have_run_change_no_difference_from_a_baseline():
    predictions = of_baseline({1: 5, 2: 5})  # UA 25 each
    some = pd.concat([of_network({1: 0.35, 2: 0.45}), of_network({1: 0.95}, seed=1)])
    table = tables.network_over_baselines(some, predictions, RUNS, "table1-best", "ua")
    cells = table.set_index(["Method", "Standardised by"])["Emo-DB"]
    assert cells["linear SVM, eGeMAPS", "training rows"] == "+15.0 (2 folds)"
