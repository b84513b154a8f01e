"""The command line: exit status 0 on success only, and an error is one line on stderr that says what to do."""

import errno
import io
import json
import subprocess
import sys

import pandas as pd
import pytest
import torch

from ser_lib import __main__, collection, corpora, experiments, origins, paths, records, training
from ser_lib.corpora import EMOTIONS

COMMANDS = [
    "fetch", "corpus", "experiments", "run", "collect", "variety", "baselines", "transfer", "predict", "compare",
    "readme",
]  # fmt: skip
SMALL = [
    "--set", "filters=[2, 2]", "--set", "kernels=[[3, 3], [3, 3]]", "--set", "strides=[[8, 2], [4, 2]]",
    "--set", "hidden_size=3", "--set", "epochs=1", "--set", "test_copies=1", "--set", "vtlp=none",
]  # fmt: skip


@pytest.fixture
def command(monkeypatch, capsys):
    """A function that runs a command line: exit status, stdout, stderr."""

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ser_lib", *map(str, arguments)])
        capsys.readouterr()
        status = __main__.main()
        return status, *capsys.readouterr()

    return run


# Help, and what is told of another model


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)], ids=str)
def test_every_command_has_help(command, arguments):
    status, out, err = command(*arguments, "--help")
    assert (status, err) == (0, "")
    assert "Usage" in out and "--help" in out
    for name in [] if arguments else COMMANDS:
        assert name in out


def test_another_model_is_scored_beside_ours_without_its_recordings(command, monkeypatch, tmp_path):
    monkeypatch.delenv("SER_CORPORA", raising=False)
    monkeypatch.setenv("SER_RESULTS", str(paths.PROJECT / "results"))
    rows = collection.load_utterances("emodb")
    rows.assign(prediction=rows["emotion"])[["utterance", "prediction"]].to_csv(tmp_path / "perfect.csv", index=False)
    status, out, err = command("compare", tmp_path / "perfect.csv", "--corpus", "emodb")
    assert (status, err) == (0, "") and "other model  100.0 [100.0, 100.0]  100.0 [100.0, 100.0]" in out
    status, out, err = command("compare", tmp_path / "perfect.csv", "--corpus", "emodb", "--experiment", "table1-bets")
    assert (status, out) == (1, "") and "did you mean 'table1-best'" in err


def test_it_starts_as_a_module_without_loading_anything_heavy():
    code = (
        "import sys, runpy; sys.argv = ['ser_lib', '--help']\n"
        "try: runpy.run_module('ser_lib', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "corpus" in done.stdout


def test_reading_a_corpus_loads_neither_networks_nor_statistics():
    code = "import sys, ser_lib.corpora; assert not {'torch', 'sklearn', 'scipy.signal'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# What goes well


def test_corpus_shows_utterances_by_speaker_and_emotion(command, synthetic_root):
    status, out, err = command("corpus", "synthetic", "--root", synthetic_root)
    assert status == 0 and "error" not in err
    assert all(word in out for word in (*EMOTIONS, "5M", "fingerprint", "minutes"))
    assert not paths.results_folder().exists()


def test_corpus_keeps_its_table_when_asked(command, synthetic_root):
    status, out, _ = command("corpus", "synthetic", "--root", synthetic_root, "--keep")
    assert status == 0 and str(paths.results_folder()) in out
    assert len(collection.load_utterances("synthetic")) == 232


def test_a_table_of_another_selection_is_not_kept_in_the_place_of_the_papers(command, synthetic_root):
    command("corpus", "synthetic", "--root", synthetic_root, "--keep")
    status, _, err = command("corpus", "synthetic", "--root", synthetic_root, "--scenarios", "all", "--keep")
    assert status == 1 and "nothing was kept" in err and "scenarios=all" in err
    assert len(collection.load_utterances("synthetic")) == 232


def test_experiments_are_listed_by_family_with_what_each_changes(command):
    status, out, err = command("experiments")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines if line[0] != " "] == list(experiments.FAMILIES)
    named = {line.strip().partition(":")[0] for line in lines if line[0] == " "}
    assert named == {name for family in experiments.FAMILIES.values() for name in family.references}
    assert "  table3-32-scaled-without: table1-best with batch_size=32, learning_rate=0.02" in lines
    assert command("experiments", "pooling") == (
        0, "pooling: do strides do better than pooling?\n  pooling-max: table1-baseline with pooling=max\n", "",
    )  # fmt: skip


def test_the_settings_of_one_experiment_are_shown(command):
    status, out, err = command("experiments", "pooling-max")
    assert (status, err) == (0, "")
    assert experiments.Experiment(**json.loads(out)) == experiments.find_experiment("pooling-max")


def test_a_run_is_made_once_collected_and_used_to_predict(command, synthetic_root, monkeypatch):
    asked = ("run", "--corpus", "synthetic", "--root", synthetic_root, "--experiment", "table1-baseline", "--fold", 2)
    status, out, _ = command(*asked, "--seed", 3, *SMALL)
    assert status == 0
    assert "synthetic, table1-baseline, fold 2 (test speaker 1M), seed 3: weighted accuracy" in out
    [folder] = paths.runs_folder().glob("synthetic/table1-baseline/fold-02-seed-3-*")
    assert out.strip().endswith(str(folder))

    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
    assert command(*asked, "--seed", 3, *SMALL)[:2] == (0, out)

    status, _, err = command("collect")
    assert status == 1 and "no finished run of a named experiment" in err  # its settings are not the experiment's

    recordings = sorted((synthetic_root / "Session1").rglob("Ses01F_impro01_*.wav"))[:3]
    recordings = [path for path in recordings if not path.name.startswith(".")]
    status, out, err = command("predict", folder, *recordings)
    assert (status, err) == (0, "")
    table = pd.read_csv(io.StringIO(out))
    assert table["recording"].tolist() == [str(path) for path in recordings]
    assert set(table["prediction"]) <= set(EMOTIONS)
    assert table[[f"p_{emotion}" for emotion in EMOTIONS]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-3)


def test_transfer_says_what_networks_score_on_another_corpus_and_keeps_the_counts(
    command, tiny_table, tiny_experiment, synthetic_root, monkeypatch
):
    monkeypatch.setattr(origins, "code_version", lambda: "aaaaaaaaaaaa")
    monkeypatch.setitem(experiments.EXPERIMENTS, "pooling-max", tiny_experiment)
    records.obtain(tiny_table, records.run_key(tiny_table, "pooling-max", tiny_experiment, 1, 0), "cpu")
    asked = ("--source", "tiny", "--corpus", "synthetic", "--experiment", "pooling-max", "--root", synthetic_root)
    status, out, _ = command("transfer", *asked)
    file = paths.results_folder() / "synthetic" / "transfer.csv"
    assert status == 0 and out.endswith(f"kept in {file}\n")
    assert out.count("tiny to synthetic, pooling-max, eq. 2 with the ") == 2 and "(mean over 10 speakers)" in out
    assert pd.read_csv(file).groupby("normalisation")["count"].sum().to_dict() == {"source": 232, "target": 232}


def test_collect_gathers_the_runs_where_it_is_told(command, tiny_table, tiny_experiment, monkeypatch, tmp_path):
    monkeypatch.setattr(collection, "EXPERIMENTS", {"small": tiny_experiment})
    records.obtain(tiny_table, records.run_key(tiny_table, "small", tiny_experiment, 1, 0), "cpu")
    assert command("collect", "--out", tmp_path) == (0, "tiny, small: 1 runs\n", "")
    assert len(collection.load_results(tmp_path).runs) == 1 and not paths.results_folder().exists()


def test_collect_takes_runs_by_different_code_only_when_told(command, tiny_table, tiny_experiment, monkeypatch):
    monkeypatch.setattr(collection, "EXPERIMENTS", {"small": tiny_experiment})
    for fold, code in ((1, "aaaaaaaaaaaa"), (2, "bbbbbbbbbbbb")):
        folder = records.obtain(
            tiny_table, records.run_key(tiny_table, "small", tiny_experiment, fold, 0), "cpu"
        ).folder
        origin = json.loads((folder / "provenance.json").read_text()) | {"code": code}
        (folder / "provenance.json").write_text(json.dumps(origin))
    status, out, err = command("collect")
    assert (status, out) == (1, "") and "aaaaaaaaaaaa made 1, bbbbbbbbbbbb made 1" in err
    assert command("collect", "--mixed-code") == (0, "tiny, small: 2 runs\n", "")


def test_the_study_is_described_before_anything_is_run(command, synthetic_root):
    status, out, _ = command("study", "synthetic", "--root", synthetic_root, "--cores", 3, "--device", "cpu")
    assert status == 0 and out.startswith("The study on synthetic: ")
    assert "0 finished" in out and "time    unknown" in out and not paths.runs_folder().exists()
    status, _, err = command("study", "synthetic", "emodb", "--root", synthetic_root)
    assert status == 1 and "for several, set SER_CORPORA" in err


def test_the_study_on_a_gpu_is_described_on_a_machine_without_one(command, synthetic_root, monkeypatch):
    """``make reproduce DEVICE=cuda`` begins with it, on the machine that submits the runs to a cluster."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, out, _ = command("study", "synthetic", "--root", synthetic_root, "--device", "cuda:99")
    assert status == 0 and out.startswith("The study on synthetic: ")


# What goes wrong: one line on stderr, nothing on stdout


@pytest.mark.parametrize(
    "arguments, status, words",
    [
        (["corpus", "synthetik"], 1, "did you mean 'synthetic'?"),
        (["corpus", "emodb"], 1, "set the environment variable SER_CORPORA"),
        (["corpus", "emodb", "--root", "/nowhere"], 1, "there is no folder /nowhere"),
        (["corpus", "iemocap", "--root", "{tmp}"], 1, "does not hold this corpus"),
        (["corpus", "synthetic", "--root", "{synthetic}/Session1"], 1, "it looks like you meant {synthetic}"),
        (["corpus", "iemocap", "--root", "{synthetic}"], 1, "must never pass for IEMOCAP's"),
        (["corpus", "emodb", "--root", "{tmp}", "--scenarios", "some"], 1, "unknown scenarios 'some'"),
        (["run", "--corpus", "synthetic", "--experiment", "table1-bets", "--fold", "1"], 1, "mean 'table1-best'"),
        (["run", "--corpus", "nowhere", "--experiment", "table1-best", "--fold", "1"], 1, "unknown corpus 'nowhere'"),
        (["run", "{best}", "--fold", "11"], 1, "there is no fold 11: choose one of 1 to 10"),
        (["run", "{best}", "--fold", "0"], 1, "there is no fold 0"),
        (["run", "{best}", "--fold", "6", "--set", "protocol=sessions"], 1, "there is no fold 6: choose one of 1 to 5"),
        (["run", "{best}", "--fold", "1", "--seed", "-1"], 1, "seed -1"),
        (["run", "{best}", "--fold", "1", "--set", "epoch=1"], 1, "did you mean 'epochs'?"),
        (["run", "{best}", "--fold", "1", "--set", "epochs"], 1, "is not KEY=VALUE"),
        (["run", "{best}", "--fold", "1", "--set", "epochs=0"], 1, "epochs: Input should be greater"),
        (["run", "{best}", "--fold", "1", "--device", "abacus"], 1, "device 'abacus' cannot be used"),
        (["study", "synthetic", "--root", "{synthetic}", "--device", "abacus"], 1, "device 'abacus' cannot be used"),
        (["run", "{best}", "--fold", "one"], 2, "--fold"),
        (["run", "{best}"], 2, "Missing option '--fold'"),
        (["run", "{best}", "--folds", "1"], 2, "No such option"),
        (["experiments", "pooolng"], 1, "no experiment or family 'pooolng'; did you mean 'pooling'?"),
        (["collect"], 1, "there is no finished run"),
        (["predict", "{tmp}", "a.wav"], 1, "holds no finished run"),
        (["predict", "{tmp}"], 2, "Missing argument"),
        (["transfer", "--source", "emodb", "--corpus", "synthetic", "--root", "{synthetic}"], 1, "is finished on this"),
        (["transfer", "--source", "emodb", "--corpus", "synthetic", "--experiment", "tabel1-best"], 1, "'table1-best'"),
        (["corpsu"], 2, "No such command 'corpsu'"),
        (["corpus"], 2, "Missing argument"),
    ],
    ids=str,
)
def test_an_error_is_one_line_on_stderr(command, arguments, status, words, tmp_path, request, monkeypatch):
    monkeypatch.delenv("SER_CORPORA", raising=False)
    monkeypatch.setattr(origins, "code_version", lambda: "c0mm1ttedc0de")
    places = {"tmp": tmp_path}
    if any(mark in argument for argument in arguments for mark in ("{synthetic}", "{best}")):
        places["synthetic"] = request.getfixturevalue("synthetic_root")
    asked = []
    for argument in arguments:
        if argument == "{best}":
            asked += ["--corpus", "synthetic", "--root", places["synthetic"], "--experiment", "table1-best"]
        else:
            asked.append(argument.format(**places))
    got, out, err = command(*asked)
    assert got == status and out == ""
    *progress, last = err.rstrip("\n").split("\n")
    assert last.rsplit("\r", 1)[-1].startswith("error: ") and words.format(**places) in last
    assert all("error" not in line and "Traceback" not in line for line in progress)


@pytest.mark.parametrize(
    ("arguments", "work"),
    [(["variety"], "variety.measure"), (["baselines"], "baselines.run"),
     (["transfer", "--source", "emodb"], "transfer.measure"),
     (["repeat", "--experiment", "table1-best", "--fold", "1", "--keep"], "repeats.repeat")],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_would_not_be_kept_is_told_before_it_is_made(command, synthetic_root, monkeypatch, arguments, work):
    monkeypatch.setattr(origins, "code_version", lambda: "0123456789ab+")
    monkeypatch.setattr(f"ser_lib.{work}", lambda *_, **__: pytest.fail("hours of work, and lost"))
    status, out, err = command(*arguments, "--corpus", "synthetic", "--root", synthetic_root)
    assert (status, out) == (1, "") and "error: nothing is kept: ser_lib differs from its last commit" in err


def test_a_recording_that_cannot_be_read_is_one_line(command, tiny_table, tiny_experiment, tmp_path):
    record = records.obtain(tiny_table, records.run_key(tiny_table, "small", tiny_experiment, 1, 0), "cpu")
    (tmp_path / "text.wav").write_text("not audio at all")
    status, out, err = command("predict", record.folder, tmp_path / "text.wav")
    assert (status, out) == (1, "") and err.count("\n") == 1 and err.startswith(f"error: {tmp_path}/text.wav: ")


def test_a_run_that_diverges_is_one_line_that_says_where_it_is_kept(command, tiny_table, monkeypatch):
    def train(*_):
        raise training.Diverged(2, 3, ["1F_anger_0"])

    monkeypatch.setattr(corpora, "load", lambda *_, **__: tiny_table)
    monkeypatch.setattr(training, "train", train)
    status, out, err = command("run", "--corpus", "synthetic", "--experiment", "quick", "--fold", 1)
    last = err.rstrip("\n").split("\n")[-1].rsplit("\r", 1)[-1]
    assert (status, out) == (1, "")
    assert last.startswith("error: the loss is not finite in epoch 2, batch 3, utterances 1F_anger_0: lower")
    [folder] = paths.runs_folder().glob("failures/tiny/quick/fold-01-seed-0-*")
    assert last.endswith(f"(kept in {folder})")


def test_nothing_asked_for_shows_the_help_and_is_no_success(command):
    status, out, err = command()
    assert status == 2 and err == "" and all(name in out for name in COMMANDS)


def test_an_interrupted_run_says_that_nothing_half_done_is_kept(command, synthetic_root, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupt)
    status, out, err = command(
        "run", "--corpus", "synthetic", "--root", synthetic_root, "--experiment", "table1-best", "--fold", 1
    )
    assert (status, out) == (130, "") and err.rstrip().endswith("stopped: nothing half-done is kept")
    assert list(paths.runs_folder().rglob("fold-*")) == []


def test_a_file_that_may_not_be_read_is_one_line_that_names_it(command, monkeypatch):
    def collect(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "/closed/run.json")

    monkeypatch.setattr(collection, "collect", collect)
    assert command("collect") == (1, "", "error: /closed/run.json: Permission denied\n")


def test_an_error_of_the_system_that_names_no_file_keeps_its_traceback(command, monkeypatch):
    def collect(*_, **__):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(collection, "collect", collect)
    with pytest.raises(OSError, match="Cannot allocate"):
        command("collect")


def test_a_fault_of_ours_keeps_its_traceback(command, tmp_path, monkeypatch):
    monkeypatch.setattr(collection, "collect", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command("collect")
