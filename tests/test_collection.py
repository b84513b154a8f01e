"""Collected tables: computed from predictions, whole, and only of runs that belong together."""

import dataclasses
import json
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from made import collect, contents, diverging, failed
from ser_lib import collection, experiments, features, files, origins, paths, provenance, records, scoring
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError

pytestmark = pytest.mark.usefixtures("named")


# Collecting


def test_scores_from_the_collected_tables_are_those_from_the_records(obtain, tiny_table):
    made = [obtain(name, fold, seed) for name in ("small", "small-vote") for fold, seed in ((1, 0), (2, 0), (2, 1))]
    assert collect() == ["tiny, small: 3 runs", "tiny, small-vote: 3 runs"]
    results = collection.load_results()
    direct = pd.concat(
        [
            record.predictions.assign(**{key: record.run[key] for key in ("corpus", "experiment", "fold", "seed")})
            for record in made
        ]
    )
    pd.testing.assert_frame_equal(scoring.scores(results.predictions), scoring.scores(direct), check_dtype=False)
    assert len(results.runs) == 6
    assert len(results.histories) == len(results.gradients) == len(results.updates) == 12
    assert results.runs["best_epoch"].tolist() == [record.run["best_epoch"] for record in made]
    utterances = collection.load_utterances("tiny")
    assert utterances["utterance"].tolist() == tiny_table["utterance"].tolist() and "path" not in utterances


def test_collecting_twice_is_the_same_bytes(obtain):
    obtain(fold=2)
    obtain(fold=1)
    collect()
    files = [path for path in paths.results_folder().rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    collect()
    assert {path: path.read_bytes() for path in files} == before and len(files) == 7


def test_collected_gradients_and_updates_are_means_over_the_steps_of_an_epoch(obtain):
    record = obtain()
    collect()
    results = collection.load_results()
    for kind in ("gradients", "updates"):
        steps = getattr(record, kind)
        for epoch in (1, 2):
            expected = steps[steps["epoch"] == epoch].drop(columns=["epoch", "step"]).mean()
            [row] = getattr(results, kind).query("epoch == @epoch")[list(expected.index)].to_numpy(dtype=float)
            np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_runs_on_this_machine_are_the_same_tables_collected_or_not(obtain):
    for name in ("small", "small-vote"):
        for fold, seed in ((1, 0), (2, 0), (2, 1)):
            obtain(name, fold, seed)
    failed(obtain, fold=3)
    direct = collection.load_runs()
    assert not paths.results_folder().exists()
    collect()
    collected = collection.load_results()
    for field in dataclasses.fields(collection.Results):
        one, other = getattr(direct, field.name), getattr(collected, field.name)
        assert len(one) > 0, field.name
        pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-5, obj=field.name)


def test_runs_collected_before_stay_although_they_are_not_on_this_machine(obtain):
    gone = obtain(fold=1).folder
    obtain(fold=2)
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(gone)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    assert contents(paths.results_folder() / "tiny" / "small") == before
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    obtain(fold=3)
    assert collect() == ["tiny, small: 2 runs, and 1 collected before"]
    results = collection.load_results()
    for kind in ("runs", "predictions", "histories", "gradients", "updates"):
        assert getattr(results, kind)["fold"].drop_duplicates().tolist() == [1, 2, 3], kind


def test_a_run_that_is_repeated_replaces_the_one_collected_before(obtain):
    folder = obtain().folder
    collect()
    shutil.rmtree(folder)
    obtain()
    provenance = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps(provenance | {"seconds": 1234.5}))
    assert collect() == ["tiny, small: 1 runs"]
    assert collection.load_results().runs["seconds"].tolist() == [1234.5]


def test_runs_collected_before_of_settings_that_have_changed_are_dropped_with_a_word(obtain, named):
    obtain(fold=1)
    obtain(fold=2)
    collect()
    named["small"] = named["small"].with_settings(epochs=1)
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    folder = paths.results_folder() / "tiny" / "small"
    dropped = f"dropped: 2 runs in {folder}: the settings of the experiment have changed since"
    assert collect() == [dropped, "tiny, small: 1 runs"]
    results = collection.load_results()
    assert results.runs["fold"].tolist() == [2] and set(results.predictions["fold"]) == {2}
    assert len(results.histories) == 1


def test_runs_of_settings_that_have_changed_since_they_were_collected_do_not_count(obtain, named):
    obtain(fold=1)
    collect()
    assert len(collection.load_results().runs) == 1
    named["small"] = named["small"].with_settings(epochs=1)
    results = collection.load_results()
    assert all(getattr(results, kind).empty for kind in ("runs", "predictions", "histories", "gradients", "updates"))


def test_tables_of_an_earlier_version_without_updates_are_read_and_added_to(obtain):
    gone = obtain().folder
    collect()
    (paths.results_folder() / "tiny" / "small" / "updates.csv").unlink()
    results = collection.load_results()
    assert len(results.runs) == 1 and len(results.updates) == 0
    shutil.rmtree(gone)
    obtain(fold=2)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    results = collection.load_results()
    assert results.runs["fold"].tolist() == [1, 2] and set(results.updates["fold"]) == {2}


def test_the_energy_of_a_run_is_collected_where_it_was_read(obtain, monkeypatch):
    values = iter([5.0, 30.5])  # joules when the run begins and when it ends
    monkeypatch.setattr(records.energy, "counters_of", lambda device: [records.energy.Counter(lambda: next(values))])
    assert obtain().provenance["energy_joules"] == 25.5
    monkeypatch.setattr(records.energy, "counters_of", lambda device: [])
    assert obtain(fold=2).provenance["energy_joules"] is None
    collect()
    for results in (collection.load_results(), collection.load_runs()):
        assert results.runs.set_index("fold")["energy_joules"].dropna().to_dict() == {1: 25.5}


def test_runs_made_or_collected_before_energy_was_read_count_as_not_read(obtain):
    file = obtain().folder / "provenance.json"
    older = {key: value for key, value in json.loads(file.read_text()).items() if key != "energy_joules"}
    file.write_text(json.dumps(older))
    collect()
    table = paths.results_folder() / "tiny" / "small" / "runs.csv"
    assert pd.read_csv(table)["energy_joules"].isna().all()
    pd.read_csv(table).drop(columns="energy_joules").to_csv(table, index=False)
    shutil.rmtree(file.parent)
    obtain(fold=2)
    collect()
    runs = collection.load_results().runs
    assert runs["fold"].tolist() == [1, 2] and runs["energy_joules"].isna().all()


def test_collected_numbers_have_six_digits_those_collected_before_too(obtain):
    obtain()
    collect()
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    collect()
    for kind in ("predictions", "histories", "gradients", "updates"):
        text = (paths.results_folder() / "tiny" / "small" / f"{kind}.csv").read_text()
        numbers = re.findall(r"(?<=,)-?([0-9.]+)(?:e-?[0-9]+)?(?=,|$)", text, re.MULTILINE)
        assert numbers and max(len(number.replace(".", "").lstrip("0")) for number in numbers) == 6, kind


def test_collected_settings_are_those_that_were_run(obtain, tiny_experiment):
    obtain()
    collect()
    settings = json.loads((paths.results_folder() / "tiny" / "small" / "settings.json").read_text())
    assert experiments.Experiment(**settings) == tiny_experiment


def test_a_changed_prediction_changes_the_score(obtain):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / "predictions.csv"
    [before] = scoring.scores(collection.load_results().predictions)["wa"]
    table = pd.read_csv(file)
    hit = table.loc[0, "prediction"] == table.loc[0, "truth"]
    other = next(emotion for emotion in EMOTIONS if emotion != table.loc[0, "truth"])
    table.loc[0, "prediction"] = other if hit else table.loc[0, "truth"]
    table.to_csv(file, index=False)
    [after] = scoring.scores(collection.load_results().predictions)["wa"]
    assert after - before == pytest.approx(-1 / 11 if hit else 1 / 11)


def test_runs_with_other_settings_are_named_and_left_out(obtain):
    obtain()
    stale = obtain(fold=2, epochs=1).folder
    said = collect()
    assert said == [f"left out: {stale}: its settings are not those of 'small'", "tiny, small: 1 runs"]
    assert collection.load_results().runs["fold"].tolist() == [1]


def test_runs_of_a_forgotten_experiment_are_named_and_left_out(obtain, named):
    obtain()
    forgotten = obtain("small-vote").folder
    del named["small-vote"]
    left_out = f"left out: {forgotten}: there is no experiment 'small-vote' (any more)"
    assert collect() == [left_out, "tiny, small: 1 runs"]


def test_what_was_moved_aside_or_copied_does_not_count_wherever_it_lies(obtain):
    """Its words say which run it is, and the place which it is taken for: the one without the other decides nothing."""
    obtain()
    aside = obtain(fold=2).folder
    moved = paths.runs_folder() / "older" / "small" / aside.name
    moved.parent.mkdir(parents=True)
    aside.rename(moved)
    first = obtain().folder
    copy = first.with_name(f"{first.name}.bak")
    shutil.copytree(first, copy)
    made_as = f"tiny/small/{first.name}"
    assert collect() == [
        f"left out: {moved}: it was made as tiny/small/{aside.name}, and is a copy or was moved aside",
        f"left out: {copy}: it was made as {made_as}, and is a copy or was moved aside",
        "tiny, small: 1 runs",
    ]
    assert collection.load_results().runs["fold"].tolist() == [1]
    assert not (paths.results_folder() / "older").exists()


def test_a_collection_that_was_killed_between_two_tables_is_mended_by_the_next(obtain, monkeypatch):
    """Fold 1 was collected before, on another machine, and its record is not here."""
    elsewhere = obtain().folder
    collect()
    shutil.rmtree(elsewhere)
    obtain(fold=2)
    write = collection._write_table

    def killed(file, table):
        if file.name == "predictions.csv":
            raise KeyboardInterrupt
        write(file, table)

    with monkeypatch.context() as patch:
        patch.setattr(collection, "_write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            collect()
    with pytest.raises(SerError, match="collect the results again"):
        collection.load_results()
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    assert collection.load_results().runs["fold"].tolist() == [1, 2]


def test_collect_waits_for_another_that_is_at_work(obtain):
    obtain()
    with files.one_at_a_time(paths.results_folder(), ""):
        other = threading.Thread(target=collect)  # not a fork, which would hold the lock of its parent
        other.start()
        other.join(0.5)
        assert other.is_alive() and not any(paths.results_folder().rglob("*.csv"))
    other.join(30)
    assert (paths.results_folder() / "tiny" / "small" / "runs.csv").exists()


def test_what_departs_from_the_papers_selection_is_noted_and_stands_below_tables(obtain, tiny_table):
    obtain(fold=1)
    tiny_table.attrs["notes"] = ["Pairs are ours.", "Partial corpus: Session5 is missing."]
    tiny_table.attrs["options"] = {"scenarios": "all", "merge_excited": True}
    obtain(fold=2)
    collect()
    runs = collection.load_results().runs.set_index("fold")
    assert pd.isna(runs.loc[1, "notes"])
    assert runs.loc[2, "notes"] == "Partial corpus: Session5 is missing. scenarios=all merge_excited=True"
    below = provenance.behind(runs.reset_index().assign(corpus="emodb"))
    assert "Not the paper's selection: Partial corpus: Session5 is missing. scenarios=all" in below
    assert "selection" not in provenance.behind(runs.loc[[1]].reset_index().assign(corpus="emodb"))


@pytest.mark.parametrize("code", ["012345678901", "1234567e8901"])
def test_a_version_that_looks_like_a_number_stays_what_it_is(obtain, code):
    made_by(obtain().folder, code)
    collect()
    assert collection.load_results().runs["code"].tolist() == [code]
    shutil.rmtree(paths.runs_folder())
    made_by(obtain(fold=2).folder, code)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]


def test_nothing_to_collect_is_an_error():
    with pytest.raises(SerError, match="no finished run .* run some first"):
        collect()


def test_a_licensed_corpuss_results_stay_with_their_owner(obtain, tiny_table):
    """Its table of utterances decides how many frames there are; like its predictions, git never takes it."""
    tiny_table.attrs["corpus"] = "iemocap"
    obtain()
    assert collect() == ["iemocap, small: 1 runs"]
    assert len(collection.load_utterances("iemocap")) == len(tiny_table)
    ignored = (paths.PROJECT / ".gitignore").read_text().splitlines()
    assert "/results/iemocap/" in ignored


@pytest.mark.parametrize("digits", ["012345678901", "1234567e8901"])
def test_digests_that_look_like_numbers_stay_what_they_are(obtain, tiny_table, monkeypatch, digits):
    """One of a few hundred digests has no letter; read as a number, it is nobody's, and its runs would be dropped."""
    monkeypatch.setattr(experiments.Experiment, "digest", property(lambda self: digits))
    tiny_table.attrs["fingerprint"] = digits[::-1].replace("e", "4") if "e" not in digits else digits
    obtain()
    collect()
    runs = collection.load_results().runs
    assert runs["configuration"].tolist() == [digits]
    assert runs["fingerprint"].tolist() == [tiny_table.attrs["fingerprint"]]
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]


def test_speakers_whose_names_look_like_numbers_keep_their_names(obtain, tiny_table, monkeypatch):
    """Emo-DB's and RAVDESS's are called 03 and 08, and a speaker 3 would be nobody's partner."""
    names = dict(zip(sorted(set(tiny_table["speaker"])), ["03", "08", "09", "10", "1e5", "13"], strict=True))
    tiny_table["speaker"] = tiny_table["speaker"].map(names)
    record = obtain()
    collect()
    results = collection.load_results()
    assert set(results.predictions["speaker"]) == {record.run["test_speaker"]} <= set(names.values())
    assert results.runs[["test_speaker", "validation_speaker"]].to_numpy().tolist() == [["03", "08"]]
    assert set(collection.load_utterances("tiny")["speaker"]) == set(names.values())


# A loss that does not stay finite


def test_a_run_that_fails_before_the_first_epoch_ends_is_collected_too(obtain, monkeypatch):
    obtain(fold=2)
    diverging(monkeypatch, epoch=1, batch=None)
    with pytest.raises(SerError, match="not finite in epoch 1, validation"):
        obtain()
    collect()
    [failure] = collection.load_results().failures.to_dict("records")
    assert failure["epoch"] == 1 and np.isnan(failure["batch"])


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_a_damaged_failure_is_named_with_what_to_do(obtain, content):
    file = failed(obtain) / "failure.json"
    file.write_text(content)
    for read in (obtain, collection.load_runs, collection.collect):
        with pytest.raises(SerError, match=rf"^{file} cannot be read .*: delete {file.parent}, and the run is made"):
            read()


def test_a_failure_is_collected_by_itself_and_is_in_no_other_table(obtain, tiny_experiment):
    obtain(fold=2)
    failed(obtain)
    assert collect() == ["tiny, small: 1 runs", "tiny: 1 runs whose loss did not stay finite"]
    results = collection.load_results()
    [failure] = results.failures.to_dict("records")
    message = failure.pop("message")
    assert failure == {
        "corpus": "tiny", "experiment": "small", "fold": 1, "seed": 0, "fingerprint": "0123456789ab",
        "configuration": tiny_experiment.digest, "learning_rate": 0.01, "epoch": 2, "batch": 3,
    }  # fmt: skip
    assert message.startswith("the loss is not finite in epoch 2, batch 3, utterances 1F_anger_0, 2M_sadness_1")
    for kind in ("runs", "predictions", "histories", "gradients", "updates"):
        assert set(getattr(results, kind)["fold"]) == {2}, kind


def test_a_failure_does_not_count_once_the_run_is_finished(obtain):
    obtain(fold=2)
    failed(obtain)
    collect()
    obtain()
    assert collect() == ["tiny, small: 2 runs"]
    assert len(collection.load_results().failures) == 0 and len(collection.load_runs().failures) == 0


def test_a_failure_of_settings_that_have_changed_since_does_not_count(obtain, named):
    obtain(fold=2)
    failed(obtain, epochs=1)
    failed(obtain, name="small-vote")
    del named["small-vote"]
    assert collect() == ["tiny, small: 1 runs"]
    assert len(collection.load_results().failures) == 0


def test_failures_collected_before_stay_although_they_are_not_on_this_machine(obtain):
    obtain(fold=2)
    folder = failed(obtain)
    collect()
    shutil.rmtree(folder)
    failed(obtain, fold=3)
    collect()
    assert sorted(collection.load_results().failures["fold"]) == [1, 3]


def test_a_failure_on_another_version_of_the_corpus_is_none_of_its_runs(obtain, tiny_table, monkeypatch):
    obtain()
    with monkeypatch.context() as patch:
        patch.setitem(tiny_table.attrs, "fingerprint", "ba9876543210")
        diverging(patch, epoch=2, batch=1)
        with pytest.raises(SerError, match="not finite"):
            obtain(fold=2)
    said = "left out: the failure of small, fold 2: it is of another version of tiny"
    assert collect() == ["tiny, small: 1 runs", said]
    assert collection.load_results().failures.empty and not (paths.results_folder() / "tiny" / "failures.csv").exists()


def test_a_damaged_table_of_failures_does_not_ask_for_more_to_be_removed(own_folders):
    file = own_folders / "results" / "tiny" / "failures.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff\xfe\n")
    with pytest.raises(SerError, match=rf"^{file} cannot be read .* or remove {file} and collect"):
        collection.load_results()


def test_a_failure_that_was_collected_does_not_count_once_its_settings_have_changed(obtain, named):
    obtain(fold=2)
    failed(obtain)
    collect()
    assert len(collection.load_results().failures) == 1
    named["small"] = named["small"].with_settings(epochs=1)
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    collect()
    assert len(collection.load_results().failures) == 0


def test_the_newest_failure_of_a_run_is_the_one_that_is_collected(obtain, monkeypatch):
    obtain(fold=2)
    failed(obtain)
    collect()
    diverging(monkeypatch, epoch=5, batch=1)
    with pytest.raises(SerError):
        obtain()
    collect()
    assert collection.load_results().failures["epoch"].tolist() == [5]


def test_a_run_that_was_collected_with_other_settings_does_not_hide_a_failure(obtain, named):
    obtain()
    collect()
    named["small"] = named["small"].with_settings(epochs=3)
    shutil.rmtree(paths.runs_folder())
    failed(obtain)
    assert collect() == ["tiny: 1 runs whose loss did not stay finite"]
    assert len(collection.load_results().failures) == 1


def test_a_run_with_other_settings_does_not_hide_a_failure(obtain):
    obtain(fold=2)
    failed(obtain)
    obtain(epochs=1)  # the same name, fold and seed: python -m ser_lib run --set epochs=1
    assert len(collection.load_runs().failures) == 1
    collect()
    assert len(collection.load_results().failures) == 1


# Versions of the corpus and of the code


def made_by(folder: Path, code: str) -> None:
    """Let a record come from some version of the code."""
    file = folder / "provenance.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"code": code}))


def test_runs_collected_before_on_another_version_of_the_corpus_are_refused(obtain, tiny_table):
    obtain()
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(paths.runs_folder())
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    with pytest.raises(
        SerError, match="different versions of the corpus .* small in .*results/tiny; .* small in .*runs/tiny"
    ):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before


def test_runs_on_two_versions_of_a_corpus_are_refused(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    with pytest.raises(SerError, match=r"different versions of the corpus \(0123456789ab, .*; ba9876543210, .*: move"):
        collect()
    assert not any(paths.results_folder().rglob("*.csv"))


def test_experiments_on_two_versions_of_a_corpus_are_refused_too(obtain, tiny_table):
    """They are compared with each other: that each is of one version by itself is not enough."""
    obtain()
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    shutil.rmtree(paths.runs_folder())
    obtain("small-vote")
    with pytest.raises(SerError, match="different versions of the corpus .* small in .*; .* small-vote in"):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before
    assert not (paths.results_folder() / "tiny" / "small-vote").exists()


def test_runs_on_this_machine_on_two_versions_of_a_corpus_are_not_shown_as_one(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain()
    with pytest.raises(SerError, match="a run is there twice"):
        collection.load_runs()
    shutil.rmtree(next(paths.runs_folder().glob("tiny/small/*")))
    obtain(fold=2)
    obtain(fold=3)
    assert len(collection.load_runs().runs) == 3


def test_runs_of_one_experiment_by_code_that_trains_differently_are_refused_and_nothing_is_written(obtain):
    for fold, code in ((1, "aaaaaaaaaaaa"), (2, "bbbbbbbbbbbb"), (3, "bbbbbbbbbbbb")):
        made_by(obtain("small-vote", fold=fold).folder, code)
    made_by(obtain().folder, "aaaaaaaaaaaa")
    problem = r"tiny, small-vote: .* differently \(aaaaaaaaaaaa made 1, bbbbbbbbbbbb made 2\): .* --mixed-code"
    with pytest.raises(SerError, match=problem):
        collect()
    assert not any(paths.results_folder().rglob("*.csv"))


def test_code_that_trains_differently_is_collected_when_asked_and_each_runs_version_is_shown(obtain):
    for fold, code in ((1, "bbbbbbbbbbbb"), (2, "aaaaaaaaaaaa"), (3, "bbbbbbbbbbbb+")):
        made_by(obtain(fold=fold).folder, code)
    collection.collect(say=lambda text: None, mixed_code=True)
    results = collection.load_results()
    assert results.runs["code"].tolist() == ["bbbbbbbbbbbb", "aaaaaaaaaaaa", "bbbbbbbbbbbb+"]
    summary = provenance.run_summary(results.runs.assign(corpus="emodb"))
    assert summary["Code"].tolist() == ["aaaaaaaaaaaa, bbbbbbbbbbbb, bbbbbbbbbbbb+"]


def test_each_experiment_may_have_a_version_of_its_own(obtain):
    made_by(obtain().folder, "aaaaaaaaaaaa")
    made_by(obtain("small-vote").folder, "bbbbbbbbbbbb")
    assert collect() == ["tiny, small: 1 runs", "tiny, small-vote: 1 runs"]


def test_runs_collected_before_by_code_that_trains_differently_are_refused(obtain):
    made_by(obtain().folder, "aaaaaaaaaaaa")
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(paths.runs_folder())
    made_by(obtain(fold=2).folder, "bbbbbbbbbbbb")
    with pytest.raises(SerError, match=r"\(aaaaaaaaaaaa made 1, bbbbbbbbbbbb made 1\)"):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before
    made_by(obtain(fold=1).folder, "bbbbbbbbbbbb")  # the older one is repeated, and replaced
    assert collect() == ["tiny, small: 2 runs"]


def test_runs_of_code_without_a_name_are_collected_with_a_warning(obtain, monkeypatch):
    monkeypatch.setattr(origins, "code_version", lambda: "0123456789ab+")
    obtain()
    assert collect() == ["tiny, small: 1 runs"]
    obtain(fold=2)
    warning = "tiny, small: 2 runs are by code that no commit names: it need not have been the same"
    assert collect() == [warning, "tiny, small: 2 runs"]


def test_runs_of_different_folds_on_two_versions_of_a_corpus_are_not_loaded_together(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    versions = r"the runs on tiny come from different versions of it \(0123456789ab, ba9876543210\): move the runs"
    with pytest.raises(SerError, match=versions):
        collection.load_runs()


# Utterances


def test_a_corpuss_utterances_can_be_kept_without_runs(tiny_table):
    collection.save_utterances(tiny_table)
    kept = collection.load_utterances("tiny")
    expected = tiny_table[records.UTTERANCE_COLUMNS]
    pd.testing.assert_frame_equal(kept, expected, check_dtype=False, atol=1e-6)


def test_a_damaged_table_of_utterances_is_named(tiny_table):
    file = collection.save_utterances(tiny_table)
    file.write_text("")
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*: keep it again: .* corpus tiny --keep$"):
        collection.load_utterances("tiny")


def test_kept_durations_give_the_frames_that_the_recordings_have(tiny_table):
    """A microsecond more, and some utterances would have a frame more: the paper's range is of the two at the ends."""
    samples = 1024 + 512 * np.arange(1, len(tiny_table) + 1) - 1  # a sample more is a frame more
    tiny_table["duration"] = samples / 16_000
    collection.save_utterances(tiny_table)
    kept = features.frame_counts(collection.load_utterances("tiny")["duration"])
    np.testing.assert_array_equal(kept, features.frame_count(samples))


# Reading tables that somebody touched


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("predictions", "predictions of run .*'small', 2, 1.* are missing"), ("histories", "not as many epochs as")],
)
def test_a_table_that_was_cut_at_the_end_of_a_line_is_refused(obtain, kind, problem):
    for seed in (0, 1):
        obtain(fold=2, seed=seed)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(SerError, match=problem):
        collection.load_results()


def test_what_was_collected_before_and_does_not_belong_together_is_not_sealed(obtain):
    for fold in (1, 2):
        obtain(fold=fold)
    collect()
    for folder in paths.runs_folder().glob("tiny/small/fold-02*"):
        shutil.rmtree(folder)
    file = paths.results_folder() / "tiny" / "small" / "predictions.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    cut = file.read_bytes()
    with pytest.raises(SerError, match="collected before, do not name the same runs"):
        collect()
    assert file.read_bytes() == cut


@pytest.mark.parametrize("kind", ["runs", "predictions"])
def test_runs_and_predictions_that_do_not_belong_together_are_refused(obtain, kind):
    obtain()
    obtain(fold=2)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    with pytest.raises(SerError, match=r"do not name the same runs .*'small', 2, 0.*collect the results again"):
        collection.load_results()


def test_a_run_that_is_listed_twice_is_refused(obtain):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / "runs.csv"
    table = pd.read_csv(file)
    pd.concat([table, table]).to_csv(file, index=False)
    with pytest.raises(SerError, match="a run is there twice .*collect the results again"):
        collection.load_results()


@pytest.mark.parametrize("kind, column", [("predictions", "truth"), ("runs", "seconds"), ("histories", "epoch")])
def test_a_table_without_one_of_its_columns_is_named(obtain, kind, column):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    pd.read_csv(file).drop(columns=column).to_csv(file, index=False)
    with pytest.raises(SerError, match=rf"{file} lacks the column\(s\) {column}: .* collect the results again"):
        collection.load_results()


@pytest.mark.parametrize("kind", ["runs", "predictions", "histories", "gradients", "updates"])
def test_a_damaged_table_is_named_and_what_it_says_to_do_mends_it(obtain, kind):
    obtain()
    collect()
    folder = paths.results_folder() / "tiny" / "small"
    (folder / f"{kind}.csv").write_text("")
    for read in (collection.load_results, collect):
        with pytest.raises(SerError, match=rf"^{folder}/{kind}.csv cannot be read .* or remove {folder} and collect"):
            read()
    shutil.rmtree(folder)
    collect()
    assert len(collection.load_results().runs) == 1


def test_no_results_are_empty_tables():
    for results in (collection.load_results(), collection.load_runs()):
        assert not any(len(getattr(results, field.name)) for field in dataclasses.fields(results))
    assert len(scoring.scores(results.predictions)) == 0
    assert collection.load_utterances("emodb") is None


def test_a_run_without_a_history_is_refused(obtain):
    obtain()
    obtain(fold=2)
    collect()
    file = paths.results_folder() / "tiny" / "small" / "histories.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    with pytest.raises(SerError, match=r"runs and histories do not name the same runs .*'small', 2, 0"):
        collection.load_results()


@pytest.mark.parametrize(
    ("kind", "cut"),
    [("gradients", lambda table: table[table["fold"] == 1]), ("gradients", lambda table: table[:-1]),
     ("updates", lambda table: table[:-1])],
    ids=["gradients of a run", "gradients of an epoch", "updates of an epoch"],
)  # fmt: skip
def test_a_run_without_all_its_gradients_and_updates_is_refused(obtain, kind, cut):
    for fold in (1, 2):
        obtain(fold=fold)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    cut(pd.read_csv(file)).to_csv(file, index=False)
    with pytest.raises(SerError, match=rf"the {kind} of run \(.*'small', 2, 0\) have not as many epochs as the run"):
        collection.load_results()
