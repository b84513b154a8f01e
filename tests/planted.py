"""Run one test against a copy of the project that holds a fault; started by test_planted_faults.py.

It runs in a process forked off one that has the large libraries loaded, so that a fault costs a second and not ten.
"""

import os
import sys
from pathlib import Path

import pytest


def run(project: str, test: str, output: str) -> None:
    """Run a test of ``project`` and leave with pytest's exit status; what it prints goes to the file ``output``."""
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(project)
    sys.path.insert(0, project)
    sys.dont_write_bytecode = True
    import ser_lib

    assert Path(ser_lib.__file__).is_relative_to(project), f"{ser_lib.__file__} is not the copy with the fault"
    # Nothing that takes time and guards nothing here: other plugins, and looking for objects that were not closed.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    status = pytest.main([test, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:unraisableexception"])
    sys.stdout.flush()
    os._exit(int(status))


if __name__ == "planted":
    run(project, test, output)  # noqa: F821  (given by runpy)
