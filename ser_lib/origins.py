"""Where a record comes from: the version of the code, hardware and libraries; and which versions train alike."""

import ast
import hashlib
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

import torch

from ser_lib import paths

RUN_MODULES = (
    "audio", "device", "features", "folds", "linear", "metrics", "model", "optim", "recurrence", "recurrent_bn",
    "strip", "training", "vtlp",
)  # fmt: skip
"""The modules that make a record what it is, besides those of settings and corpora, which have digests, and of
protocols, whose folds a test pins."""
PACKAGES = ("torch", "torchaudio", "soundfile", "numpy", "scipy", "scikit-learn", "pandas")
"""Those whose versions a record names."""


def provenance(device: str, code: str | None = None) -> dict:
    """Code version, hardware and library versions of this process, and its peak memory in MiB so far.

    Args:
        device: a torch device.
        code: the version when the work began; that of now if None.
    """
    hardware = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return {
        "peak_memory_mib": _peak_memory_mib(),
        "code": code or code_version(),
        "hardware": hardware,
        "device": device,
        "python": platform.python_version(),
        "packages": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def code_version() -> str:
    """The commit of the checkout, with ``+`` if ``ser_lib`` differs from it; "unknown" outside of a checkout."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        if not _git("ls-tree", "--name-only", "HEAD", "--", "ser_lib"):
            return "unknown"  # another project's checkout, in which this one lies unpacked
        return commit + ("+" if _git("status", "--porcelain", "--", "ser_lib") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def is_named(version: str) -> bool:
    """Whether a version of the code is that of a commit, so that it can be found again."""
    return version != "unknown" and not version.endswith("+")


@cache
def code_of_runs(version: str) -> str:
    """What stands for the code that a run of some version executes: equal for versions that train in the same way.

    Settings and corpus have digests of their own, so the modules that define them do not count, nor do those that only
    read records, nor comments, docstrings and the lines' form.

    Args:
        version: as :func:`code_version` gives it.

    Returns:
        A digest of the statements of that commit's files; the version itself where the commit is not known, or was
        changed.
    """
    files = [f"ser_lib/{module}.py" for module in RUN_MODULES]
    try:
        there = _git("ls-tree", "--name-only", version, "--", *files).split()
        statements = {file: _statements(_git("show", f"{version}:./{file}")) for file in there}
    except (OSError, subprocess.CalledProcessError):
        return version
    if not there:
        return version
    return hashlib.sha256(json.dumps(statements).encode()).hexdigest()[:12]


def _statements(source: str) -> str:
    """What a module does, without comments, docstrings and form."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(paths.PROJECT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.exists()
        else []
    )
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _peak_memory_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))
