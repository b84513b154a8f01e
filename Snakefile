# Many runs: as many at once as --cores allows, resumed where they stopped, none repeated.
#
#   snakemake --cores 2 quick
#   snakemake --cores 2 study  --config corpus=emodb root=/path/to/emodb
#   snakemake --cores 2 table1 --config corpus=emodb root=/path/to/emodb
#   snakemake --cores 2 runs   --config corpus=emodb root=/path/to/emodb experiments=table1-best seeds=0,1,2
#   snakemake --cores 2 runs   --config corpus=emodb root=/path/to/emodb experiments=depth,pooling folds=1,2
#   snakemake --cores 2 ablations --config corpus=emodb root=/path/to/emodb experiments=depth,pooling
#   snakemake --profile profiles/slurm study --config corpus=emodb,ravdess,nemo
#
# study is all runs of a corpus, or of several, the most decisive first (ser_lib/study.py); it takes no choice of runs.
# experiments names experiments, or families of them (ser_lib/experiments.py); folds and seeds are lists, too.
# ablations makes the runs of families, and compares those of each in a notebook of its own (book/ablation.ipynb).
# notebooks=yes runs every fold through papermill and keeps the executed notebook; notebooks=no runs none so, which is
# quicker; without either, the small study alone is, so that its notebooks can be read.
# A root that --config would not take for a path (it holds ' #' or ': ') goes into the environment, as SER_ROOT: it is
# that of the corpus that --config names, and of none else.

import functools
import os
import shlex
import sys
import time

from ser_lib import collection, corpora, experiments, paths, protocols, records, study as whole
from ser_lib.errors import SerError

SETTINGS = {
    "corpus": "synthetic", "root": os.environ.get("SER_ROOT") if "corpus" in config else None,
    "experiments": "quick", "folds": "all", "seeds": 0, "notebooks": None, "device": "auto",
}
RUNS = paths.runs_folder()
STARTED = time.time()
ASKED = {}  # the records of the targets, each once, in the order in which they are to be made

for key in config:
    if key not in SETTINGS:
        raise WorkflowError(f"there is no --config key {key!r}{experiments.suggestion(key, SETTINGS)}")
SETTINGS |= config
# Snakemake makes a number of a value where it can, and None of an empty one; a folder can be named by a number.
ROOT = "" if SETTINGS["root"] is None else str(SETTINGS["root"])
DEVICE = str(SETTINGS["device"])
ANSWERS = {"yes": True, "true": True, "no": False, "false": False}
NOTEBOOKS = ANSWERS.get(str(SETTINGS["notebooks"]).lower())  # None: nobody said

# Here and not in the jobs: what is misspelt is an error before any of them.
if NOTEBOOKS is None and SETTINGS["notebooks"] is not None:
    raise WorkflowError(f"--config notebooks={SETTINGS['notebooks']} must be yes or no")
try:
    whole.is_gpu(DEVICE)
except SerError as problem:
    raise WorkflowError(str(problem))


def listed(setting):
    return str(SETTINGS[setting]).split(",")


def numbers(setting):
    """The folds or seeds that are asked for; folds=all stands for every fold."""
    values = listed(setting)
    if setting == "folds" and values == ["all"]:
        return None
    if not all(value.isdecimal() for value in values):
        raise WorkflowError(f"--config {setting}={','.join(values)} must be whole numbers, such as {setting}=1,2")
    return [int(value) for value in values]


@functools.cache
def table(corpus):
    """A corpus that a target asks for; root is the folder of the only one."""
    root = ROOT if corpus in listed("corpus") else ""
    if root and len(listed("corpus")) > 1:
        raise SerError("root is the folder of one corpus: for several, set SER_CORPORA to the folder that holds them")
    return corpora.load(corpus, root or None)


@functools.cache
def fold_numbers(corpus, protocol):
    """The numbers of all folds of a corpus under a protocol."""
    return [fold.number for fold in protocols.folds_of(table(corpus), protocol)]


def wanted(keys):
    """Where the records of some runs go; a target asks for them in this order."""
    files = [key.folder / "run.json" for key in keys]
    ASKED.update(dict.fromkeys(files))
    return files


def record_files(corpora, names, numbers, seeds):
    """The records that a target asks for: every experiment (or member of a family), fold (None: all) and seed."""
    try:
        members = [member for name in names for member in experiments.members(name)]
        return wanted(
            records.run_key(table(corpus), name, experiments.find_experiment(name), number, seed)
            for corpus in corpora
            for seed in seeds
            for name in dict.fromkeys(members)
            for number in numbers or fold_numbers(corpus, experiments.find_experiment(name).protocol)
        )
    except SerError as problem:
        raise WorkflowError(str(problem))


def study_files():
    """The records of the whole study."""
    refuse_ignored("study")
    try:
        return wanted(whole.plan([table(corpus) for corpus in listed("corpus")]))
    except SerError as problem:
        raise WorkflowError(str(problem))


IGNORED = {
    "quick": ("corpus", "root", "experiments", "folds", "seeds"),
    "study": ("experiments", "folds", "seeds"),
    "table1": ("experiments",),
}


def refuse_ignored(target):
    """Refuse a --config key that a target does not read: what is asked for would quietly be something else."""
    for key in IGNORED[target]:
        if key in config:
            raise WorkflowError(f"--config {key} has no effect on {target}: leave it out, or ask for the target runs")


def asked_for(names):
    return record_files(listed("corpus"), names, numbers("folds"), numbers("seeds"))


def comparisons():
    """The notebooks that compare the runs of some families, one for each family and corpus."""
    for name in listed("experiments"):
        if name not in experiments.FAMILIES:
            raise WorkflowError(
                f"ablations compares families, and {name!r} is none{experiments.suggestion(name, experiments.FAMILIES)}"
            )
    return expand(COMPARISON, corpus=listed("corpus"), family=listed("experiments"))


@functools.cache
def places():
    """Each record that was asked for -> its place, the first one the highest: what Snakemake takes for a priority."""
    return {str(file): len(ASKED) - place for place, file in enumerate(ASKED)}


@functools.cache
def on_gpu():
    """Whether runs take a GPU. device=auto is what this machine has; jobs of a cluster get none that is not named."""
    if DEVICE == "auto" and not workflow.local_exec:
        return False
    return whole.is_gpu(DEVICE)


@functools.cache
def measured():
    return collection.load_results().runs


@functools.cache
def durations(corpus):
    kept = collection.load_utterances(corpus)
    return (table(corpus) if kept is None else kept)["duration"]


@functools.cache
def need(corpus, experiment):
    return whole.needs(measured(), durations, corpus, experiment, on_gpu())


RECORD = f"{RUNS}/{{corpus}}/{{experiment}}/fold-{{fold}}-seed-{{seed}}-{{digest}}/run.json"
COMPARISON = f"{RUNS}/notebooks/ablation-{{corpus}}-{{family}}.ipynb"
NAME = "{corpus}-{experiment}-fold-{fold}-seed-{seed}-{digest}"


def command(wildcards):
    """One fold: through papermill, or directly."""
    run = {"corpus": wildcards.corpus, "experiment": wildcards.experiment}
    run |= {"fold": int(wildcards.fold), "seed": int(wildcards.seed), "device": DEVICE}
    if ROOT and wildcards.corpus in listed("corpus"):
        run["root"] = ROOT
    in_notebook = wildcards.experiment == "quick" if NOTEBOOKS is None else NOTEBOOKS
    if in_notebook:
        # -r keeps a text as it is, of which -p makes a number where it can.
        parameters = " ".join(
            f"-{'r' if isinstance(value, str) else 'p'} {key} {shlex.quote(str(value))}" for key, value in run.items()
        )
        notebook = shlex.quote(f"{RUNS}/notebooks/{NAME.format(**wildcards)}.ipynb")
        template = shlex.quote(str(paths.PROJECT / "book" / "fold.ipynb"))
        return f"papermill {template} {notebook} -k python3 --no-progress-bar {parameters}"
    options = " ".join(f"--{key} {shlex.quote(str(value))}" for key, value in run.items())
    return f"python -m ser_lib run {options}"


def report():
    """Say at the end what became of the runs; not within a job, which asks for none."""
    if ASKED:
        print(whole.summary(ASKED, STARTED), file=sys.stderr)


localrules:
    quick,
    study,
    table1,
    runs,
    ablations,


onsuccess:
    report()


onerror:
    report()


rule quick:
    input:
        lambda wildcards: refuse_ignored("quick") or record_files(["synthetic"], ["quick"], None, [0]),


rule study:
    input:
        lambda wildcards: study_files(),


rule table1:
    input:
        lambda wildcards: refuse_ignored("table1") or asked_for(["table1"]),


rule runs:
    input:
        lambda wildcards: asked_for(listed("experiments")),


rule ablations:
    input:
        lambda wildcards: comparisons(),


rule ablation:
    input:
        lambda wildcards: record_files([wildcards.corpus], [wildcards.family], numbers("folds"), numbers("seeds")),
    output:
        COMPARISON,
    log:
        f"{RUNS}/logs/ablation-{{corpus}}-{{family}}.log",
    wildcard_constraints:
        corpus="[a-z]+",
        family="[a-z0-9-]+",
    params:
        template=paths.PROJECT / "book" / "ablation.ipynb",
    shell:
        "papermill {params.template:q} {output:q} -k python3 --no-progress-bar -r corpus {wildcards.corpus}"
        " -r experiments {wildcards.family} -r source runs > {log:q} 2>&1"


rule fold:
    output:
        update(RECORD),  # any other output is removed before its job, which would take run.json from a finished record
    log:
        text=f"{RUNS}/logs/{NAME}.log",
        notebook=f"{RUNS}/notebooks/{NAME}.ipynb",
    wildcard_constraints:
        corpus="[a-z]+",
        experiment="[a-z0-9.-]+",
        fold=r"\d+",
        seed=r"\d+",
        digest="[0-9a-f]{12}",
    params:
        command=command,
    priority: lambda wildcards: places().get(RECORD.format(**wildcards), 0)
    resources:
        mem_mb=lambda wildcards, attempt: attempt * whole.memory_to_ask(need(wildcards.corpus, wildcards.experiment)),
        runtime=lambda wildcards, attempt: attempt * whole.minutes_to_ask(need(wildcards.corpus, wildcards.experiment)),
        gpu=lambda wildcards: int(on_gpu()),
    shell:
        "OMP_NUM_THREADS=1 {params.command} > {log.text:q} 2>&1"
