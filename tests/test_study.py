"""The study: what is decided first, what a run needs, and what is said of those that failed."""

import os

import pandas as pd
import pytest
import torch

from ser_lib import claims, records, statements, study
from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS, FAMILIES
from ser_lib.folds import speaker_folds


@pytest.fixture
def corpora(tiny_table):
    """Two corpora of six folds."""
    other = tiny_table.copy()
    other.attrs = {**tiny_table.attrs, "corpus": "other"}
    return [tiny_table, other]


@pytest.fixture
def kept(tiny_table):
    """Keeps the table of the made-up corpus, and one of ``small``: half as long in all, in utterances half as long."""
    half = tiny_table.assign(duration=tiny_table["duration"] / 2)
    return {"tiny": tiny_table, "small": half}.get


def measured(*rows: tuple) -> pd.DataFrame:
    """Runs that took so many seconds and MiB: ``corpus, experiment, device, seconds, MiB`` each."""
    columns = ["corpus", "experiment", "device", "seconds", "peak_memory_mib"]
    return pd.DataFrame(rows, columns=columns).assign(hardware="an abacus")


def runs_of(tables, **which) -> set[tuple[str, str, int, int]]:
    """Corpus, experiment, fold and seed of the runs of some stages."""
    return {
        (run.corpus, run.experiment, run.fold, run.seed)
        for run, stage in study.plan(tables).items()
        if all(getattr(stage, name) == value for name, value in which.items())
    }


# Which runs, and in which order


def test_tables_1_and_3_come_first_over_all_folds_and_then_what_isolates_their_claims(corpora):
    every = [(corpus, fold) for corpus in ("tiny", "other") for fold in range(1, 7)]
    tables = [*FAMILIES["table1"].experiments, *FAMILIES["table3"].experiments]
    assert runs_of(corpora, name="tables") == {(c, name, fold, 0) for c, fold in every for name in tables}
    isolating = {name for family in ("alone", "vtlp", "batch-size-without") for name in FAMILIES[family].experiments}
    expected = {(c, name, fold, 0) for c, fold in every for name in isolating - set(tables)}
    assert runs_of(corpora, name="isolating") == expected
    stages = [stage.name for stage in study.STAGES]
    assert stages == ["tables", "isolating", "protocol", "pairs", "families", "seeds", "rest"]


def test_every_protocol_is_run_over_all_of_its_own_folds(corpora):
    others = ("protocol-mixed-pair", "protocol-utterances", "protocol-test-validates", "normalisation-training")
    expected = {(c, name, fold, 0) for c in ("tiny", "other") for name in others for fold in range(1, 7)}
    expected |= {(c, "protocol-sessions", session, 0) for c in ("tiny", "other") for session in (1, 2, 3)}
    assert runs_of(corpora, name="protocol") == expected


def test_a_statement_on_two_small_networks_is_decided_before_all_else_is_only_looked_at(corpora):
    stages = [stage.name for stage in study.STAGES]
    early = {
        (run.experiment, run.fold)
        for run, stage in study.plan(corpora[:1]).items()
        if stages.index(stage.name) < stages.index("families")
    }
    small = {name for name, settings in EXPERIMENTS.items() if settings.lstm_layers == 1 and settings.batch_size <= 64}
    compared = [s for s in claims.MEASURED if isinstance(s, statements.Difference | statements.Course)]
    needed = {name for each in compared if small.issuperset(each.experiments) for name in each.experiments}
    assert {"pooling-max", "normalisation-none-1", "table3-16"} <= needed
    assert {(name, fold) for name in needed for fold in range(1, 7)} <= early


def test_all_else_is_looked_at_on_two_folds_then_the_tables_get_seeds_then_all_else_is_run_whole(corpora):
    first = runs_of(corpora, name="families")
    assert {fold for _, _, fold, _ in first} == {1, 2} and {seed for *_, seed in first} == {0}
    tables = {(corpus, name, fold) for corpus, name, fold, _ in runs_of(corpora, name="tables")}
    assert runs_of(corpora, name="seeds") == {(*run, seed) for run in tables for seed in (1, 2)}
    rest = runs_of(corpora, name="rest")
    assert {run[1] for run in rest} == {run[1] for run in first}
    assert {fold for _, _, fold, _ in rest} == {3, 4, 5, 6} and {seed for *_, seed in rest} == {0}


def test_no_stage_begins_before_the_one_before_it_is_planned_on_every_corpus(corpora):
    planned = list(study.plan(corpora).values())
    places = [study.STAGES.index(stage) for stage in planned]
    assert places == sorted(places)


def test_within_a_stage_seeds_come_one_after_the_other_and_an_experiments_folds_together(corpora):
    seeds = [run for run, stage in study.plan(corpora).items() if stage.name == "seeds"]
    assert [run.seed for run in seeds] == sorted(run.seed for run in seeds)
    tables = [
        (run.corpus, run.experiment, run.fold) for run, stage in study.plan(corpora).items() if stage.name == "tables"
    ]
    assert tables[:7] == [("tiny", "table1-baseline", fold) for fold in range(1, 7)] + [
        ("tiny", "table1-oversampling", 1)
    ]


def test_every_family_and_every_experiment_that_a_claim_needs_is_run_over_all_folds(corpora):
    needed = {name for family in FAMILIES.values() for name in family.experiments}
    needed |= {name for statement in claims.MEASURED for name in statement.experiments}
    planned = {(run.experiment, run.fold) for run in study.plan(corpora[:1])}
    whole = {(name, fold) for name in needed for fold in range(1, 4 if name == "protocol-sessions" else 7)}
    assert whole == planned


# What a run needs


def test_a_gpu_that_runs_are_planned_for_need_not_be_in_this_machine(monkeypatch):
    """Runs of a cluster are planned where they are submitted; only ``auto`` is what this machine has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [study.is_gpu(device) for device in ("cuda", "cuda:99", "cpu", "auto")] == [True, True, False, False]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [study.is_gpu(device) for device in ("cuda", "cpu", "auto")] == [True, False, True]


@pytest.mark.parametrize("device", ["gpu", "cuda:one", "0", ""])
def test_a_device_that_is_misspelt_is_refused_before_anything_is_planned(device):
    with pytest.raises(SerError, match=f"device '{device}' cannot be used: "):
        study.is_gpu(device)


def test_a_run_needs_what_runs_of_its_experiment_took_on_the_same_corpus_and_kind_of_device(kept):
    runs = measured(
        ("tiny", "table1-best", "cpu", 10.0, 500), ("tiny", "table1-best", "cpu", 60.0, 700),
        ("tiny", "table1-best", "cpu", 20.0, 600), ("tiny", "table1-best", "cuda", 1.0, 3000),
        ("tiny", "table1-baseline", "cpu", 7.0, 9000), ("small", "table1-best", "cpu", 8000.0, 8000),
    )  # fmt: skip
    durations = study.durations_of([], kept)
    assert study.needs(runs, durations, "tiny", "table1-best") == study.Needs(20.0, 60.0, 700.0, "tiny")
    assert study.needs(runs, durations, "tiny", "table1-best", gpu=True) == study.Needs(1.0, 1.0, 3000.0, "tiny")
    assert study.needs(runs, durations, "tiny", "pooling-max") is None


def test_runs_of_another_corpus_are_scaled_up_with_its_size_but_memory_is_never_scaled_down(kept):
    durations = study.durations_of([], kept)
    smaller = measured(("small", "table1-best", "cpu", 10.0, 500))
    assert study.needs(smaller, durations, "tiny", "table1-best") == study.Needs(20.0, 20.0, 1000.0, "small")
    larger = measured(("tiny", "table1-best", "cpu", 10.0, 500))
    assert study.needs(larger, durations, "small", "table1-best") == study.Needs(5.0, 5.0, 500.0, "tiny")
    assert study.needs(larger, durations, "nowhere", "table1-best") is None


def test_memory_and_minutes_that_are_asked_for_have_room_and_a_default():
    need = study.Needs(seconds=60.0, longest=600.0, memory_mib=1001.0, source="tiny")
    assert study.memory_to_ask(need) == 1502 and study.minutes_to_ask(need) == 30 + 10
    assert study.memory_to_ask(None) == 8192 and study.minutes_to_ask(None) == 360


def test_the_rule_for_memory_covers_the_peak_that_was_measured_at_iemocaps_scale():
    """Emo-DB's peak of the best model, scaled to IEMOCAP's mean length, against the one of benchmarks/memory.json."""
    emodb, iemocap = pd.Series([2.81] * 339), pd.Series([308_596 * 0.032 / 2280] * 2280)
    need = study.needs(
        measured(("emodb", "table1-best", "cpu", 200.0, 1175)), {"emodb": emodb, "iemocap": iemocap}.get, "iemocap",
        "table1-best",
    )  # fmt: skip
    assert 1933 < study.memory_to_ask(need) < 2 * 1933


def test_disk_that_is_foreseen_holds_what_a_run_leaves(tiny_table, tiny_store, tiny_experiment):
    key = records.run_key(tiny_table, "small", tiny_experiment, 1, 0)
    folder = records.obtain(tiny_table, key, "cpu").folder
    store, run = study.disk_bytes([key], {"tiny": tiny_table["duration"].sum()})
    left = sum(file.stat().st_size for file in folder.iterdir())
    assert left < run < left + study.TABLES_BYTES
    # Windows that do not fit behind the last sample make no frame: these utterances are a quarter of a second long.
    assert tiny_store.strip.nbytes < store < 2 * tiny_store.strip.nbytes
    assert study.disk_bytes([key, key], {"tiny": tiny_table["duration"].sum()}) == (store, 2 * run)


def test_the_study_in_words_says_how_much_is_there_and_to_go(tiny_table, kept, monkeypatch):
    stages = (study.Stage("one", "this", ("pooling",), None, (0,)), study.Stage("two", "that", ("pooling",), 2, (1,)))
    monkeypatch.setattr(study.plan, "__defaults__", (stages,))
    done = next(iter(study.plan([tiny_table])))
    done.folder.mkdir(parents=True)
    (done.folder / "run.json").write_text("{}")
    runs = measured(("tiny", "table1-baseline", "cpu", 3600.0, 2048))
    words = study.describe([tiny_table], runs, kept, cores=2)
    assert words.startswith("The study on tiny: 16 runs, 1 finished, 15 to go")
    rows = {line.split()[0]: line.split()[1:] for line in words.splitlines()[2:5]}
    # pooling-max was not measured; the baseline takes an hour a fold, and one of its folds is there
    assert rows["one"] == ["12", "11", "5.0", "6", "this"] and rows["two"] == ["4", "4", "2.0", "2", "that"]
    assert "about 3.5 hours, 2 at once; not counted: 8 runs of experiments that were never measured" in words
    assert "as measured on an abacus" in words
    to_go = list(study.plan([tiny_table]))[1]
    to_go.failure_folder.mkdir(parents=True)
    (to_go.failure_folder / "failure.json").write_text("{}")
    first = study.describe([tiny_table], runs, kept).splitlines()[0]
    assert first.endswith("15 to go (1 of these diverged: the same code does not make them again)")
    assert "up to 2.0 GiB for one run, 4.0 GiB for 2 at once" in words


def test_estimates_that_were_scaled_name_every_corpus_they_were_scaled_from(tiny_table, kept, monkeypatch):
    monkeypatch.setattr(study.plan, "__defaults__", ((study.Stage("one", "this", ("pooling",), None, (0,)),),))
    runs = measured(
        ("small", "table1-baseline", "cpu", 10.0, 500), ("small", "pooling-max", "cpu", 10.0, 500),
        ("other", "pooling-max", "cpu", 10.0, 500), ("other", "pooling-max", "cpu", 10.0, 500),
    )  # fmt: skip
    lengths = {"small": kept("small"), "other": tiny_table}  # the corpus with the most runs of an experiment is taken
    words = study.describe([tiny_table], runs, lengths.get)
    assert words.count("scaled from") == 1 and "tiny: scaled from other and small, by seconds of speech" in words
    own = measured(("tiny", "table1-baseline", "cpu", 10.0, 500), ("tiny", "pooling-max", "cpu", 10.0, 500))
    assert "scaled from" not in study.describe([tiny_table], own, kept)


def test_what_was_never_measured_is_said_to_be_unknown(tiny_table, kept):
    words = study.describe([tiny_table], measured(), kept)
    assert "time    unknown" in words and "memory  unknown" in words and "hours, one at a time" in words


# What became of them


@pytest.fixture
def asked():
    """A function that gives the places of some runs of which the first is finished and all others left a log."""

    def make(*logs: str):
        files = [records.paths.runs_folder() / "tiny" / "pooling-max" / f"fold-0{n}-seed-0-0" / "run.json"
                 for n in range(1, len(logs) + 2)]  # fmt: skip
        files[0].parent.mkdir(parents=True)
        files[0].write_text("{}")
        study.log_file(files[0]).parent.mkdir(parents=True)
        for file, log in zip(files[1:], logs, strict=True):
            study.log_file(file).write_text(log)
        return files

    return make


def test_each_run_that_failed_is_named_with_the_last_line_of_its_log(asked):
    files = asked("Traceback\n\nerror: no room\n\n", "epoch 1\repoch 2\r")
    said = study.summary(files, since=0).splitlines()
    assert said == [
        "1 of 3 runs are finished", "2 failed:",
        "  tiny/pooling-max/fold-02-seed-0-0: error: no room", f"    {study.log_file(files[1])}",
        "  tiny/pooling-max/fold-03-seed-0-0: epoch 2", f"    {study.log_file(files[2])}",
    ]  # fmt: skip


def test_a_run_that_was_not_started_this_time_is_not_said_to_have_failed(asked):
    files = asked("error: long ago", "error: now")
    os.utime(study.log_file(files[1]), (1000, 1000))
    said = study.summary(files, since=2000)
    assert "1 were not started" in said and "error: now" in said and "long ago" not in said
    assert study.last_line("\n \n") == "it left no message"


def test_every_stage_names_families_that_there_are():
    named = {family for stage in study.STAGES for family in stage.families}
    assert set(FAMILIES) <= named <= {*FAMILIES, *EXPERIMENTS}
    assert all(name in EXPERIMENTS for stage in study.STAGES for name in stage.experiments)


# What the whole study takes, without any recording


def test_iemocap_stands_in_with_its_published_utterances_speakers_and_frames(kept):
    (table,) = study.tables_without_recordings(["iemocap", "nemo"], kept)  # of nemo, nothing is kept
    assert table.attrs["corpus"] == "iemocap" and len(table) == 2280
    assert table.groupby("speaker").size().to_dict() == {
        "1F": 217, "1M": 205, "2F": 185, "2M": 208, "3F": 264, "3M": 274, "4F": 149, "4M": 221, "5F": 298, "5M": 259,
    }  # fmt: skip
    assert [fold.test_speaker for fold in speaker_folds(table)][:3] == ["1F", "1M", "2F"]
    frames = (table["duration"] * 16_000 - 1024) / 512 + 1
    assert frames.sum() == pytest.approx(study.IEMOCAP_FRAMES) and frames.mean() == pytest.approx(135, abs=1)
    # Once an owner has run it, their own table counts.
    own = {"iemocap": kept("tiny")}.get
    assert len(study.tables_without_recordings(["iemocap"], own)[0]) == len(kept("tiny"))


def test_every_planned_run_is_expected_to_take_what_its_experiment_took(corpora, kept):
    runs = measured(
        ("tiny", "table1-best", "cpu", 10.0, 500), ("tiny", "table1-best", "cuda", 1.0, 3000),
        ("tiny", "pooling-max", "cpu", 99.0, 600),
    )  # fmt: skip
    tables = study.tables_without_recordings(["tiny", "small"], kept)
    expected = study.estimates(tables, runs, kept)
    planned = study.plan(tables)
    assert len(expected) == 2 * len(planned)  # on a processor, and on a GPU
    on = expected.groupby(["corpus", "experiment", expected.index >= len(planned)])["seconds"]
    assert on.unique().loc["tiny", "table1-best", False].tolist() == [10.0]
    assert on.unique().loc["small", "table1-best", False].tolist() == [5.0]
    assert on.unique().loc["small", "table1-best", True].tolist() == [0.5]
    assert on.size().loc["tiny", "table1-best", False] == 6 * 3  # folds and seeds
    assert expected[expected["source"].isna()]["seconds"].isna().all()
    stages = expected.drop_duplicates("stage").set_index("stage")["decides"]
    assert stages.to_dict() == {stage.name: stage.purpose for stage in study.STAGES}


def test_nothing_measured_leaves_every_run_without_an_estimate(kept):
    expected = study.estimates(study.tables_without_recordings(["tiny"], kept), measured(), kept)
    assert len(expected) and expected["seconds"].isna().all() and set(expected["hardware"]) == {""}
