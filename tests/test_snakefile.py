"""The Snakefile: it makes the runs that were named, each once, in order, resumes when killed, and says what failed."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

from ser_lib import collection, corpora, experiments, paths, records, study

TINY = """\
from ser_lib import experiments

SMALL = {"filters": (3, 4), "kernels": ((3, 3), (3, 3)), "strides": ((8, 1), (4, 2)), "hidden_size": 4, "epochs": 2}
for name in experiments.EXPERIMENTS:
    experiments.EXPERIMENTS[name] = experiments.BASELINE.with_settings(**SMALL)
experiments.EXPERIMENTS["pooling-max"] = experiments.BASELINE.with_settings(**SMALL, learning_rate=1e30)
"""
"""What Python does when it starts: every experiment is small, and ``pooling-max`` diverges."""

ELSEWHERE = """\
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(non_local_exec=True, implies_no_shared_fs=False, job_deploy_sources=False)


class Executor(RemoteExecutor):
    def run_job(self, job):
        self.report_job_error(SubmittedJobInfo(job))

    async def check_active_jobs(self, active_jobs):
        for job in active_jobs:
            yield job

    def cancel_jobs(self, active_jobs):
        pass
"""
"""A plugin of Snakemake for a cluster on which every job fails: what one asks for is said before."""


@pytest.fixture
def command(own_folders, synthetic_root):
    """A function from a target and its --config values to what starts Snakemake."""

    def words(target: str, *config: str, options: tuple = ()) -> list:
        return [
            sys.executable, "-m", "snakemake", "--directory", own_folders, "--snakefile", paths.PROJECT / "Snakefile",
            *options, target, "--config", f"root={synthetic_root}", *config,
        ]  # fmt: skip

    return words


@pytest.fixture
def dry_run(command):
    """A function from a target and its --config values to what Snakemake would do: exit status and output."""

    def run(target: str, *config: str) -> tuple[int, str]:
        words = command(target, *config, options=("--dry-run", "--printshellcmds"))
        done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def environment_of(tmp_path, monkeypatch):
    """A function from code to a folder of modules: every Python that is started from here runs it, and finds them."""

    def change(code: str) -> Path:
        (tmp_path / "sitecustomize.py").write_text(code)
        path = [str(tmp_path), str(paths.PROJECT), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
        return tmp_path

    return change


@pytest.fixture
def small(environment_of):
    """Let every process that is started from here know only small experiments."""
    environment_of(TINY)


def contents(folder: Path) -> dict[str, bytes]:
    """Every record below a folder, but for when, where and how fast it was made."""
    files = [file for file in folder.glob("*/*/fold-*/*") if file.name != "provenance.json"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_families_and_experiments_of_some_folds_are_asked_for_each_once(dry_run, synthetic_root):
    status, output = dry_run("runs", "experiments=pooling,pooling-max,recurrent-beta-0.25", "folds=1,2", "seeds=3")
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


def test_each_experiment_is_asked_for_on_all_folds_of_its_own_protocol(dry_run):
    status, output = dry_run("runs", "experiments=protocol-sessions,protocol-utterances")
    assert status == 0, output
    [asked] = [line for line in output.split("rule runs:")[1].splitlines() if line.startswith("    input: ")]
    found = [re.search(r"/(protocol-[a-z]+)/fold-(\d+)-", file).groups() for file in asked.split(", ")]
    expected = [("protocol-sessions", fold) for fold in range(1, 6)]
    assert [(name, int(fold)) for name, fold in found] == expected + [
        ("protocol-utterances", fold) for fold in range(1, 11)
    ]


def test_an_unknown_family_is_an_error_that_suggests_the_nearest(dry_run):
    status, output = dry_run("runs", "experiments=table1,pooolng")
    assert status != 0 and "there is no experiment or family 'pooolng'; did you mean 'pooling'?" in output


def test_one_root_for_several_corpora_is_an_error(dry_run):
    status, output = dry_run("study", "corpus=synthetic,emodb")
    assert status != 0 and "for several, set SER_CORPORA" in output


def jobs(output: str) -> dict[str, dict[str, str]]:
    """The jobs of a dry run: record -> priority and resources."""
    found = {}
    for job in output.split("rule fold:\n")[1:]:
        record = re.search(r"output: (\S+)", job)[1]
        found[record] = {
            name: re.search(rf"{name}[=:] ?(\d+)", job)[1] for name in ("priority", "mem_mb", "runtime", "gpu")
        }
    return found


def test_the_study_is_every_planned_run_in_the_order_of_its_stages_with_what_each_needs(dry_run, synthetic_root):
    measured = pd.DataFrame(columns=[*records.IDENTITY, *collection._RUN_COLUMNS], index=[0])
    run = {"corpus": "synthetic", "experiment": "table1-best", "fold": 1, "seed": 0, "device": "cuda:0"}
    took = {"seconds": 600.0, "peak_memory_mib": 2000, "epochs": 1}
    took["configuration"] = experiments.find_experiment("table1-best").digest
    folder = paths.results_folder() / "synthetic" / "table1-best"
    folder.mkdir(parents=True)
    measured.assign(**run, **took).to_csv(folder / "runs.csv", index=False)
    for kind in ("predictions", "histories", "gradients"):
        columns = collection._empty(kind).columns
        table = pd.DataFrame(columns=columns, index=[0]).assign(**{name: run[name] for name in records.IDENTITY})
        table.to_csv(folder / f"{kind}.csv", index=False)

    status, output = dry_run("study", "corpus=synthetic", "device=cuda")
    assert status == 0, output
    planned = [str(key.folder / "run.json") for key in study.plan([corpora.load("synthetic", synthetic_root)])]
    asked = jobs(output)
    assert sorted(asked, key=lambda record: -int(asked[record]["priority"])) == planned
    best = {"mem_mb": "3000", "runtime": "40", "gpu": "1"}
    unknown = {"mem_mb": "8192", "runtime": "360", "gpu": "1"}
    for record, needs in asked.items():
        del needs["priority"]
        assert needs == (best if "/table1-best/" in record else unknown), record


ONE = ("experiments=table1-best", "folds=1")


@pytest.mark.parametrize("there, gpu", [(True, "1"), (False, "0")], ids=["a GPU", "none"])
def test_auto_is_to_the_scheduler_what_it_is_to_the_runs_the_gpu_of_this_machine_if_it_has_one(
    dry_run, environment_of, there, gpu
):
    environment_of(f"import torch\ntorch.cuda.is_available = lambda: {there}\n")
    status, output = dry_run("runs", *ONE)
    assert status == 0 and [needs["gpu"] for needs in jobs(output).values()] == [gpu], output


def test_jobs_of_a_cluster_ask_for_a_gpu_if_one_is_named_whatever_the_machine_that_submits_them_has(
    command, environment_of
):
    folder = environment_of("import torch\ntorch.cuda.is_available = lambda: True\n")
    plugin = folder / "snakemake_executor_plugin_elsewhere" / "__init__.py"
    plugin.parent.mkdir()
    plugin.write_text(ELSEWHERE)
    for device, gpu in (("auto", "0"), ("cuda", "1")):
        words = command("runs", *ONE, f"device={device}", options=("--executor", "elsewhere", "--jobs", "1"))
        done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
        assert re.findall(r"resources: .*\bgpu=(\d)", done.stderr) == [gpu], done.stderr


@pytest.mark.parametrize("device", ["gpu", "0"])
def test_a_misspelt_device_is_an_error_before_any_job(dry_run, device):
    status, output = dry_run("runs", *ONE, f"device={device}")
    assert status != 0 and f"device '{device}' cannot be used" in output and "rule fold" not in output


@pytest.mark.parametrize(
    "experiment, said, program",
    [
        ("table1-best", ["notebooks=no"], "python"), ("table1-best", ["notebooks=False"], "python"),
        ("table1-best", ["notebooks=yes"], "papermill"), ("table1-best", ["notebooks=true"], "papermill"),
        ("quick", ["notebooks=no"], "python"), ("quick", [], "papermill"),
    ],
)  # fmt: skip
def test_notebooks_are_run_where_they_are_asked_for_and_no_means_none(dry_run, experiment, said, program):
    status, output = dry_run("runs", f"experiments={experiment}", "folds=1", "device=cuda:1", *said)
    assert status == 0, output
    [line] = re.findall(r"OMP_NUM_THREADS=1 .*", output)
    assert line.split()[1] == program
    assert ("-r device cuda:1" if program == "papermill" else "--device cuda:1") in line


@pytest.mark.parametrize("said", ["ja", "1"])
def test_notebooks_is_answered_with_yes_or_no(dry_run, said):
    status, output = dry_run("runs", *ONE, f"notebooks={said}")
    assert status != 0 and f"notebooks={said} must be yes or no" in output


def test_a_folder_named_by_a_number_is_a_root_and_a_notebook_takes_it_and_the_device_as_they_are_written(
    command, own_folders, synthetic_root
):
    """A notebook without the parameter would run on another device, and so would not fail on one that nobody has."""
    (own_folders / "2018").symlink_to(synthetic_root)
    words = command("runs", *ONE, "root=2018", "device=cuda:99", "notebooks=yes", options=("--cores", "1"))
    done = subprocess.run(words, cwd=own_folders, capture_output=True, text=True)
    assert done.returncode == 1 and "device 'cuda:99' cannot be used" in done.stderr, done.stderr


def test_a_root_of_the_environment_is_taken_as_it_is_and_one_that_is_named_goes_before_it(
    command, dry_run, synthetic_root, monkeypatch, tmp_path
):
    root = tmp_path / "release: the #1"
    root.symlink_to(synthetic_root)
    monkeypatch.setenv("SER_ROOT", str(root))
    status, output = dry_run("runs", *ONE)
    assert status == 0 and f"--root {synthetic_root}" in output, output
    words = command("runs", "corpus=synthetic", *ONE, options=("-n", "-p"))
    words = [word for word in words if not str(word).startswith("root=")]
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and f"--root {shlex.quote(str(root))}" in done.stdout + done.stderr, done.stderr


def test_a_root_left_in_the_environment_is_not_taken_for_that_of_the_synthetic_corpus(command, monkeypatch, tmp_path):
    """Where no corpus is named it is the synthetic one, which would be written there."""
    monkeypatch.setenv("SER_ROOT", str(tmp_path / "emodb"))
    words = command("quick", options=("-n", "-p"))
    words = words[: words.index("--config")]
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "emodb" not in done.stdout + done.stderr, done.stderr
    assert not (tmp_path / "emodb").exists()


FOUR = ("experiments=table1-baseline,table1-vtlp", "folds=1,2")


def test_killed_hard_in_the_middle_and_started_again_it_leaves_the_same_records_and_repeats_none(
    command, small, own_folders, monkeypatch
):
    words = command("runs", *FOUR, options=("--cores", "2"))
    monkeypatch.setenv("SER_RUNS", str(own_folders / "undisturbed"))
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "4 of 4 runs are finished" in done.stderr, done.stderr
    undisturbed = contents(own_folders / "undisturbed")
    assert sum(name.endswith("run.json") for name in undisturbed) == 4

    runs = own_folders / "killed"
    monkeypatch.setenv("SER_RUNS", str(runs))
    with subprocess.Popen(words, cwd=paths.PROJECT, stderr=subprocess.DEVNULL, start_new_session=True) as first:
        deadline = time.monotonic() + 120
        while not list(runs.glob("*/*/fold-*/run.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGKILL)  # Snakemake, and with it the runs: as when a machine goes down
    assert first.returncode == -signal.SIGKILL
    before = {file: file.stat().st_mtime_ns for file in runs.glob("*/*/fold-*/*")}
    finished = {file.parent for file in before}
    assert 1 <= len(finished) < 4

    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "4 of 4 runs are finished" in done.stderr, done.stderr
    assert done.stderr.count("rule fold:") == 4 - len(finished)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert contents(runs) == undisturbed


def test_a_finished_record_stays_whatever_snakemake_is_told_to_make_again(command, small):
    """Of itself, Snakemake removes what a job is to make before it starts it."""
    words = command("runs", "experiments=table1-baseline", "folds=1", options=("--cores", "1"))
    subprocess.run(words, cwd=paths.PROJECT, check=True, capture_output=True)
    before = contents(paths.runs_folder())
    again = command("runs", "experiments=table1-baseline", "folds=1", options=("--cores", "1", "--forceall"))
    done = subprocess.run(again, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "rule fold:" in done.stderr and "1 of 1 runs are finished" in done.stderr
    assert len(before) > 1 and contents(paths.runs_folder()) == before


@pytest.mark.parametrize(
    ("target", "setting"),
    [("study", "experiments=pooling"), ("study", "folds=1"), ("study", "seeds=1"), ("table1", "experiments=pooling")],
)
def test_a_key_that_a_target_does_not_read_is_an_error(dry_run, target, setting):
    status, output = dry_run(target, "corpus=synthetic", setting)
    assert status != 0 and f"--config {setting.split('=')[0]} has no effect on {target}" in output


def test_the_small_study_is_of_the_synthetic_corpus_and_takes_no_root(dry_run):
    status, output = dry_run("quick")
    assert status != 0 and "--config root has no effect on quick" in output


def test_runs_are_made_in_the_order_in_which_they_are_asked_for(command, small):
    names = ["vtlp-alone", "frequency-8"]
    words = command("runs", f"experiments={','.join(names)}", "folds=2", options=("--cores", "1"))
    subprocess.run(words, cwd=paths.PROJECT, check=True, capture_output=True)
    made = sorted(paths.runs_folder().glob("*/*/fold-*/run.json"), key=lambda file: file.stat().st_mtime_ns)
    assert [file.parent.parent.name for file in made] == names


def test_what_failed_is_named_with_its_reason_its_log_is_kept_and_all_others_are_made(command, small):
    words = command("runs", "experiments=pooling-max,table1-best", "folds=1", options=("--cores", "2"))
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stderr.partition("1 of 2 runs are finished")[2]
    [log] = paths.runs_folder().glob("logs/synthetic-pooling-max-fold-01-*.log")
    assert re.search(
        r"1 failed:\n  synthetic/pooling-max/fold-01-seed-0-\w+: error: the loss is not finite in epoch", said
    )
    assert str(log) in said and "the loss is not finite" in log.read_text()
    assert len(list(paths.runs_folder().glob("synthetic/*/fold-*/run.json"))) == 1


def test_a_fold_that_fails_in_a_notebook_leaves_the_notebook(command, small):
    words = command("runs", "experiments=pooling-max", "folds=1", "notebooks=yes", options=("--cores", "1"))
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 1 and "0 of 1 runs are finished" in done.stderr
    [notebook] = paths.runs_folder().glob("notebooks/synthetic-pooling-max-fold-01-*.ipynb")
    assert "the loss is not finite" in notebook.read_text()


def test_families_are_run_and_the_runs_of_each_compared_in_a_notebook(command, small):
    words = command("ablations", "experiments=batchnorm-scope", "folds=1", options=("--cores", "2"))
    done = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "3 of 3 runs are finished" in done.stderr, done.stderr
    shown = (paths.runs_folder() / "notebooks" / "ablation-synthetic-batchnorm-scope.ipynb").read_text()
    assert all(f"{name} " in shown for name in ("batchnorm-gate", "batchnorm-frame")) and "(1 fold)" in shown
    again = subprocess.run(words, cwd=paths.PROJECT, capture_output=True, text=True)
    assert again.returncode == 0 and "rule ablation:" not in again.stderr


def test_what_is_no_family_is_not_compared(dry_run):
    status, output = dry_run("ablations", "experiments=pooling-max")
    assert status != 0 and "'pooling-max' is none; did you mean 'pooling'" in output and "rule fold" not in output


# A Slurm of the test's own

SLURM = """\
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=64000
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
"""
"""One node without accounting, cgroups or systemd, that believes in 64 GB: no job here uses what it asks for."""


def free_ports() -> list[int]:
    """Two ports of this machine that nobody listens to."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (first, second)]


@pytest.fixture(scope="module")
def slurm():
    """A Slurm of one node on this machine, from Debian's packages: the environment in which its commands reach it."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "sinfo")
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Slurm of its own")
    pytest.importorskip(
        "snakemake_executor_plugin_slurm", reason="not installed: pip install -r profiles/slurm/requirements.txt"
    )
    with contextlib.ExitStack() as stack:
        # Not pytest's folder: the name of a socket may have a hundred characters, and munge wants parents to be closed.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir()
        configuration = folder / "slurm.conf"
        configuration.write_text(SLURM.format(folder=folder, ports=free_ports(), host=socket.gethostname()))
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        # The executor takes all SLURM_ variables away within a job; a cluster has its configuration in /etc.
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        environment = {"SLURM_CONF": str(configuration), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        files = [f"--{kind}-file={folder}/munge.{kind}" for kind in ("key", "pid", "log", "seed")]
        daemons = [
            ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files],
            ["slurmctld", "-D", "-f", configuration],
            ["slurmd", "-D", "-N", "node", "-f", configuration],
        ]  # fmt: skip
        with (folder / "messages").open("w") as messages:
            for daemon in daemons:
                process = subprocess.Popen(daemon, stdout=messages, stderr=messages)
                stack.callback(process.wait, 30)
                stack.callback(process.terminate)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                nodes = subprocess.run(
                    ["sinfo", "--noheader", "--format=%t"], env={**os.environ, **environment}, capture_output=True,
                    text=True,
                )  # fmt: skip
                if nodes.stdout.strip() == "idle":
                    break
                time.sleep(0.2)
            else:
                last = (folder / "messages").read_text().splitlines()[-3:]
                pytest.skip(f"Slurm does not start here: {nodes.stdout}{nodes.stderr} {' | '.join(last)}")
            yield environment


def test_on_slurm_runs_are_jobs_and_leave_the_same_bytes_and_a_failed_one_is_named(
    command, small, slurm, own_folders, monkeypatch
):
    config = ("experiments=table1-baseline,pooling-max", "folds=1")
    monkeypatch.setenv("SER_RUNS", str(own_folders / "here"))
    subprocess.run(command("runs", *config, options=("--cores", "2")), cwd=paths.PROJECT, capture_output=True)
    monkeypatch.setenv("SER_RUNS", str(own_folders / "cluster"))
    options = (
        "--profile", paths.PROJECT / "profiles" / "slurm", "--slurm-no-account", "--slurm-status-command", "squeue",
        "--slurm-init-seconds-before-status-checks", "2", "--retries", "0", "--latency-wait", "10",
    )  # fmt: skip
    done = subprocess.run(
        command("runs", *config, options=options), cwd=paths.PROJECT, capture_output=True, text=True,
        env={**os.environ, **slurm}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1 and "1 of 2 runs are finished\n1 failed:" in done.stderr, done.stderr
    assert done.stderr.count("has been submitted with SLURM jobid") == 2
    assert done.stderr.count(": error: the loss is not finite") == 1
    assert len(contents(own_folders / "cluster")) == 6
    assert contents(own_folders / "cluster") == contents(own_folders / "here")
