# Many runs: as many at once as --cores allows, resumed where they stopped, none repeated.
#
#   snakemake --cores 2 quick
#   snakemake --cores 2 table1 --config corpus=emodb root=/path/to/emodb
#   snakemake --cores 2 runs   --config corpus=emodb root=/path/to/emodb experiments=table1-best seeds=0,1,2
#   snakemake --cores 2 runs   --config corpus=emodb root=/path/to/emodb experiments=depth,pooling folds=1,2
#
# experiments names experiments, or families of them (ser_lib/experiments.py); folds and seeds are lists, too.
# notebooks=yes runs every fold through papermill and keeps the executed notebook; without it, `ser_lib run` is quicker.

import shlex

from ser_lib import corpora, experiments, folds, paths, records
from ser_lib.errors import SerError

SETTINGS = {
    "corpus": "synthetic", "root": "", "experiments": "quick", "folds": "all", "seeds": 0, "notebooks": False,
    "device": "auto",
}
RUNS = paths.runs_folder()

for key in config:
    if key not in SETTINGS:
        raise WorkflowError(f"there is no --config key {key!r}{experiments.suggestion(key, SETTINGS)}")
SETTINGS |= config


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


def record_files(corpus, root, names, numbers, seeds):
    """The records that a target asks for: every experiment (or member of a family), fold (None: all) and seed."""
    try:
        table = corpora.load(corpus, root or None)
        members = [member for name in names for member in experiments.members(name)]
        return [
            records.run_key(table, name, experiments.find_experiment(name), number, seed).folder / "run.json"
            for seed in seeds
            for name in dict.fromkeys(members)
            for number in numbers or [fold.number for fold in folds.speaker_folds(table)]
        ]
    except SerError as problem:
        raise WorkflowError(str(problem))


def asked_for(names):
    return record_files(SETTINGS["corpus"], SETTINGS["root"], names, numbers("folds"), numbers("seeds"))


NAME = "{corpus}-{experiment}-fold-{fold}-seed-{seed}-{digest}"


def command(wildcards):
    """One fold: through papermill (the small study always is, so that its notebooks can be read), or directly."""
    run = {"corpus": wildcards.corpus, "experiment": wildcards.experiment, "fold": int(wildcards.fold), "seed": wildcards.seed}
    if SETTINGS["root"] and wildcards.corpus == SETTINGS["corpus"]:
        run["root"] = SETTINGS["root"]
    if wildcards.experiment == "quick" or SETTINGS["notebooks"]:
        parameters = " ".join(f"-p {key} {shlex.quote(str(value))}" for key, value in run.items())
        notebook = shlex.quote(f"{RUNS}/notebooks/{NAME.format(**wildcards)}.ipynb")
        return f"papermill book/fold.ipynb {notebook} -k python3 --no-progress-bar {parameters}"
    options = " ".join(f"--{key} {shlex.quote(str(value))}" for key, value in run.items())
    return f"python -m ser_lib run {options} --device {SETTINGS['device']}"


localrules:
    quick,
    table1,
    runs,


rule quick:
    input:
        lambda wildcards: record_files("synthetic", "", ["quick"], None, [0]),


rule table1:
    input:
        lambda wildcards: asked_for(["table1"]),


rule runs:
    input:
        lambda wildcards: asked_for(listed("experiments")),


rule fold:
    output:
        f"{RUNS}/{{corpus}}/{{experiment}}/fold-{{fold}}-seed-{{seed}}-{{digest}}/run.json",
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
    shell:
        "OMP_NUM_THREADS=1 {params.command} > {log.text:q} 2>&1"
