"""Every benchmark, one after the other, and the table of what was aimed at: benchmarks/*.json.

    python benchmarks/run.py --root /path/to/emodb

What fails is named at the end, and the others are run all the same. Where there is a GPU, it is measured, too.
benchmarks/network_choice.py, which trains 110 networks, is not among them. Takes half an hour; nothing else should run
meanwhile.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer

from ser_lib import speed

ON_RECORDINGS = ("epoch", "store", "forty_folds")
ON_NOISE = ("startup", "vtlp", "recurrence", "layer_norms", "growth", "memory")


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
) -> None:
    """Run them all."""
    failed = []
    runs = [(name, []) for name in (*ON_NOISE, *ON_RECORDINGS)]
    if torch.cuda.is_available():
        runs += [("gpu", []), ("forty_folds", ["--device", "cuda", "--cores", "8"])]
    for name, options in runs:
        if root and name not in ON_NOISE:
            options = [*options, "--root", str(root.resolve())]
        print(f"benchmarks/{name}.py", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        # One thread, as all numbers of one process are meant to be.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        if subprocess.run([sys.executable, str(script), *options], env=environment).returncode:
            failed.append(name)
    print(speed.targets().to_string(index=False))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    typer.run(main)
