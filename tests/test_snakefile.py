"""The Snakefile: it asks for the runs that were named, each once, and for nothing when a name is unknown."""

import shlex
import subprocess
import sys

import pytest

from ser_lib import corpora, experiments, paths, records


@pytest.fixture
def dry_run(own_folders, synthetic_root):
    """A function from --config values for the target ``runs`` to what Snakemake would do: exit status and output."""

    def run(*config: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--printshellcmds", "--directory", own_folders]
        command += ["--snakefile", paths.PROJECT / "Snakefile", "runs", "--config", f"root={synthetic_root}", *config]
        done = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def test_families_and_experiments_of_some_folds_are_asked_for_each_once(dry_run, synthetic_root):
    status, output = dry_run("experiments=pooling,pooling-max,recurrent-beta-0.25", "folds=1,2", "seeds=3")
    assert status == 0, output
    table = corpora.load("synthetic", synthetic_root)
    keys = [
        records.run_key(table, name, experiments.find_experiment(name), fold, 3)
        for name in ("table1-baseline", "pooling-max", "recurrent-beta-0.25")
        for fold in (1, 2)
    ]
    [asked] = [line for line in output.split("rule runs:")[1].splitlines() if line.startswith("    input: ")]
    assert asked.removeprefix("    input: ").split(", ") == [str(key.folder / "run.json") for key in keys]
    commands = [shlex.split(line) for line in output.splitlines() if "python -m ser_lib run" in line]
    options = [dict(zip(words[5::2], words[6::2], strict=False)) for words in commands]
    made = sorted((given["--experiment"], int(given["--fold"]), given["--seed"]) for given in options)
    assert made == sorted((key.experiment, key.fold, "3") for key in keys)
    assert {(given["--corpus"], given["--root"]) for given in options} == {("synthetic", str(synthetic_root))}


def test_an_unknown_family_is_an_error_that_suggests_the_nearest(dry_run):
    status, output = dry_run("experiments=table1,pooolng")
    assert status != 0 and "there is no experiment or family 'pooolng'; did you mean 'pooling'?" in output
