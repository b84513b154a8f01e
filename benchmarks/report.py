"""How every benchmark leaves what it measured."""

import json
from pathlib import Path

import torch

from ser_lib import records


def write(script: str, result: dict, device: str = "cpu") -> None:
    """Print a result with the hardware it is of, and write it beside its script, as JSON; all run on one thread.

    Args:
        script: its path, or one like it: the name of the JSON file is that of the script.
        result: what was measured.
        device: the torch device it was measured on.
    """
    result = result | {
        "hardware": records.provenance(device)["hardware"],
        "threads": 1,
        "torch": torch.__version__,
    }
    text = json.dumps(result, indent=1)
    Path(script).with_suffix(".json").write_text(text + "\n")
    print(text)
