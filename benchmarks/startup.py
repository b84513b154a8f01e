"""What a reader waits for: the command line's help, and the whole book from the committed results; and a run's imports.

    python benchmarks/startup.py

The book is built as `make pages` builds it, nothing cached. Imports, which each of thousands of runs pays for, are in
seconds of processor time: other work on the machine hardly changes them. Writes benchmarks/startup.json.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
import typer

from ser_lib import paths, speed

IMPORTS = {"run": "ser_lib.__main__, ser_lib.records", "torch": "torch", "torch's optimisers": "torch._dynamo"}
"""What `ser_lib run` imports before it begins; PyTorch alone; and with what its first optimiser imports."""


def seconds(*command: str) -> float:
    """Time of a command on the clock; its failure is one."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    subprocess.run(command, cwd=paths.PROJECT, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def processor_seconds(modules: str) -> float:
    """Time of the processor, a program's own and the system's for it, that importing some modules takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds(sys.executable, "-c", f"import {modules}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(repetitions: int = 11) -> None:
    """Measure and write."""
    imports = {}
    for what, modules in IMPORTS.items():
        times = [processor_seconds(modules) for _ in range(repetitions + 1)][1:]
        imports[what] = round(statistics.median(times), 2)
    helps = [seconds(sys.executable, "-m", "ser_lib", "--help") for _ in range(repetitions + 1)][1:]
    result = {
        "help_seconds": round(statistics.median(helps), 2),
        "import_processor_seconds": imports,
        "cores": os.cpu_count(),
    }
    # The book has a page that reads this file: it must be there before the book is built.
    report.write("startup", result | {"book_seconds": speed.NOT_MEASURED})
    book = str(Path(sys.executable).with_name("jupyter-book"))
    seconds(book, "clean", ".", "--all")
    result["book_seconds"] = round(seconds(book, "build", ".", "-W", "-n", "--keep-going"), 1)
    report.write("startup", result)


if __name__ == "__main__":
    typer.run(main)
