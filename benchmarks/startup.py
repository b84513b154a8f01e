"""What a reader waits for: the command line's help, and the whole book from the committed results.

    python benchmarks/startup.py

The book is built as `make pages` builds it, nothing cached. Writes benchmarks/startup.json.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
import typer

from ser_lib import paths, speed


def seconds(*command: str) -> float:
    """Time of a command on the clock; its failure is one."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    subprocess.run(command, cwd=paths.PROJECT, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main(repetitions: int = 11) -> None:
    """Measure and write."""
    helps = [seconds(sys.executable, "-m", "ser_lib", "--help") for _ in range(repetitions + 1)][1:]
    result = {"help_seconds": round(statistics.median(helps), 2), "cores": os.cpu_count()}
    # The book has a page that reads this file: it must be there before the book is built.
    report.write(__file__, result | {"book_seconds": speed.NOT_MEASURED})
    book = str(Path(sys.executable).with_name("jupyter-book"))
    seconds(book, "clean", ".", "--all")
    result["book_seconds"] = round(seconds(book, "build", ".", "-W", "-n", "--keep-going"), 1)
    report.write(__file__, result)


if __name__ == "__main__":
    typer.run(main)
