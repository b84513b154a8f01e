"""How every benchmark leaves what it measured."""

import json
from pathlib import Path

import torch

from ser_lib import records


def write(script: str, result: dict) -> None:
    """Print a result with the hardware it is of, and write it beside its script, as JSON; all run on one thread."""
    result = result | {
        "hardware": records.provenance("cpu")["hardware"],
        "threads": 1,
        "torch": torch.__version__,
    }
    text = json.dumps(result, indent=1)
    Path(script).with_suffix(".json").write_text(text + "\n")
    print(text)
