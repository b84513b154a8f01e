"""``make reproduce``: it says what the study takes, runs it, and then collects and builds, whatever failed before."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ser_lib import corpora, paths, study


@pytest.fixture
def make(tmp_path):
    """A function from the words after ``make`` to its exit status and the programs that it started, none of them real.

    ``failing`` names those that fail, by the beginning of their command line. ``real`` is a line of shell that stands
    for Snakemake.
    """
    if not shutil.which("make"):
        pytest.skip("make is not installed")

    def run(*words: str, failing: tuple[str, ...] = (), real: str = "") -> tuple[int, list[str]]:
        calls = tmp_path / "calls"
        for name in ("python", "snakemake", "jupyter-book", "jupyter"):
            tests = [f'case "{name} $*" in "{call}"*) exit 3;; esac' for call in failing]
            called = f'echo "${{SER_ROOT:+SER_ROOT=$SER_ROOT }}{name} $*" >> {calls}'
            lines = ["#!/bin/sh", called, *tests, real if name == "snakemake" else ""]
            (tmp_path / name).write_text("\n".join(lines) + "\n")
            (tmp_path / name).chmod(0o755)
        command = ["make", "--no-print-directory", *words, f"BIN={tmp_path}", "READY=", "CORES=4", "MEMORY=9000"]
        done = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True)
        return done.returncode, calls.read_text().splitlines() if Path(calls).exists() else []

    return run


STEPS = [
    "python -m ser_lib study iemocap --root /data/IEMOCAP full --cores 4 --device auto",
    "SER_ROOT=/data/IEMOCAP full snakemake study --cores 4 --resources mem_mb=9000 --config corpus=iemocap device=auto",
    "python -m ser_lib collect",
    "python -m ser_lib readme",
    "jupyter-book clean . --all",
    "jupyter-book build . -W -n --keep-going",
]
IEMOCAP = ("reproduce", "CORPUS=iemocap", "ROOT=/data/IEMOCAP full")


def test_the_study_is_described_run_collected_and_built(make):
    assert make(*IEMOCAP) == (0, STEPS)


def test_what_failed_is_in_the_exit_status_and_the_rest_is_collected_and_built(make):
    status, calls = make(*IEMOCAP, failing=("snakemake",))
    assert status != 0 and calls == STEPS


def test_nothing_is_run_on_a_corpus_that_cannot_be_read_and_nothing_built_from_what_cannot_be_collected(make):
    status, calls = make(*IEMOCAP, failing=("python -m ser_lib study",))
    assert status != 0 and calls == STEPS[:1]


def test_nothing_is_built_from_what_cannot_be_collected(make):
    status, calls = make(*IEMOCAP, failing=("python -m ser_lib collect",))
    assert status != 0 and calls == STEPS[:3]


def test_several_corpora_and_a_cluster_can_be_named_but_a_corpus_must_be(make):
    status, calls = make("reproduce", "CORPUS=emodb,nemo", "RUN_ON=--profile profiles/slurm", "DEVICE=cuda")
    assert status == 0 and calls[:2] == [
        "python -m ser_lib study emodb nemo --cores 4 --device cuda",
        "snakemake study --profile profiles/slurm --config corpus=emodb,nemo device=cuda",
    ]
    status, calls_then = make("reproduce")
    assert status != 0 and calls_then == calls  # nothing was started


def test_every_page_that_is_stored_executed_is_executed_anew_and_no_template(make):
    status, (call,) = make("notebooks")
    command, *pages = re.split(r" (?=book/)", call)
    assert status == 0 and command.startswith("jupyter nbconvert --to notebook --execute --inplace ")
    stored = {f"book/{page.name}" for page in (paths.PROJECT / "book").glob("*.ipynb")}
    assert set(pages) == stored - {"book/fold.ipynb", "book/ablation.ipynb"} and len(pages) == len(set(pages))


def test_snakemake_itself_understands_how_it_is_asked_for_the_study(make, own_folders, synthetic_root, tmp_path):
    """The other tests would pass with any words; here the real program reads them, and only does not run the jobs.

    The root is a path that would be another, or none, if it were read as YAML.
    """
    root, plan = tmp_path / "release: the #1", tmp_path / "plan"
    root.symlink_to(synthetic_root)
    options = f'--directory "{own_folders}" --dry-run --printshellcmds'
    real = f'exec "{sys.executable}" -m snakemake "$@" {options} > "{plan}" 2>&1'
    status, calls = make("reproduce", "CORPUS=synthetic", f"ROOT={root}", real=real)
    assert status == 0, plan.read_text()
    assert len(calls) == len(STEPS)
    runs = study.plan([corpora.load("synthetic", synthetic_root)])
    assert re.search(rf"^fold +{len(runs)}$", plan.read_text(), re.MULTILINE)
    assert plan.read_text().count(f"--root {shlex.quote(str(root))}") == len(runs)
