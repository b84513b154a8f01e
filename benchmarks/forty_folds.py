"""Table 1 on Emo-DB on the clock: four experiments, ten folds each, from nothing to forty records.

    python benchmarks/forty_folds.py --root /path/to/emodb [--cores 2] [--device cuda]

As a reader runs them: Snakemake, one process and one thread for each fold, the feature store made on the way. On a GPU
as many folds share it as --cores says. Writes benchmarks/forty_folds.json, or forty_folds_gpu.json. Takes some minutes;
nothing else should run meanwhile.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import report
import typer

from ser_lib import paths


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
    cores: int = 2,
    device: Annotated[str, typer.Option(help="A torch device, such as cpu or cuda.")] = "cpu",
    runs: Annotated[Path | None, typer.Option(help="An empty folder in which the records are kept.")] = None,
) -> None:
    """Run, and write seconds on the clock, of each fold, and the largest peak of memory."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = (runs or Path(scratch) / "runs").resolve()
        if folder.exists() and any(folder.iterdir()):
            sys.exit(f"{folder} is not empty: finished runs would not be repeated, and the clock would show too little")
        settings = ["corpus=emodb", f"device={device}", *([f"root={root.resolve()}"] if root else [])]
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "table1", "--config", *settings]
        environment = os.environ | {"SER_RUNS": str(folder), "SER_DATA": f"{scratch}/data", "OMP_NUM_THREADS": "1"}
        start = time.perf_counter()
        subprocess.run(command, cwd=paths.PROJECT, env=environment, check=True)
        seconds = time.perf_counter() - start
        records = [json.loads(file.read_text()) for file in folder.rglob("provenance.json")]
    of_runs = [record["seconds"] for record in records]
    result = {
        "folds": len(records),
        "cores": cores,
        "seconds": round(seconds, 1),
        "median_seconds_of_a_run": round(statistics.median(of_runs), 1),
        "longest_run_seconds": round(max(of_runs), 1),
        "largest_peak_mib": max(record["peak_memory_mib"] for record in records),
    }
    report.write("forty_folds_gpu" if device.startswith("cuda") else "forty_folds", result, device)


if __name__ == "__main__":
    typer.run(main)
