"""What the benchmarks measured, as tables beside what was aimed at; every number comes from ``benchmarks/``."""

import json
from pathlib import Path

import pandas as pd

from ser_lib import paths
from ser_lib.errors import SerError

NOT_MEASURED = "not measured"


def load(name: str, folder: Path | None = None) -> dict:
    """What ``benchmarks/<name>.py`` wrote.

    Raises:
        SerError: the file is not there or is not JSON; the message says how it is made.
    """
    file = (folder or paths.PROJECT / "benchmarks") / f"{name}.json"
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        raise SerError(f"{file} is not there: run python benchmarks/{name}.py") from None
    except json.JSONDecodeError as problem:
        raise SerError(f"{file}, line {problem.lineno}: is not JSON; run python benchmarks/{name}.py") from None


def targets(folder: Path | None = None) -> pd.DataFrame:
    """What was aimed at, beside what was measured: ``aim``, ``wanted``, ``measured`` and whether it was ``met``."""
    epoch, recurrence, memory, vtlp, store = (
        load(name, folder) for name in ("epoch", "recurrence", "memory", "vtlp", "store")
    )
    rows = []

    def aim(text: str, sign: str, wanted: float, measured: float | str, unit: str) -> None:
        met = NOT_MEASURED
        if measured != NOT_MEASURED:
            met = "met" if (measured >= wanted if sign == "at least" else measured <= wanted) else "not met"
            measured = f"{measured:g}{unit}"
        rows.append((text, f"{sign} {wanted:g}{unit}", measured, met))

    for name, part in epoch["experiments"].items():
        aim(f"epoch of {name} without VTLP: times as fast as plain PyTorch", "at least", 2, part["ratio"], " ×")
        aim(f"{name}: useful operations, share of the GEMM peak", "at least", 0.5, part["share_of_gemm_peak"], "")
    aim("epoch: times as fast as Keras", "at least", 5, NOT_MEASURED, " ×")
    aim("two runs at once on two cores: throughput over one", "at least", 1.8, epoch["two_over_one"], " ×")
    for hidden, part in recurrence["hidden"].items():
        ratio = part["scope all"]["both_ratio"]
        aim(f"BatchNormLSTM of {hidden} units: time over nn.LSTM, packed", "at most", 1, ratio, " ×")
    aim("VTLP: times as fast as nlpaug", "at least", 250, vtlp["over_nlpaug"], " ×")
    aim("recordings to store: time over decoding and torch.stft", "at most", 1.5, store["ratio"], " ×")
    aim("memory of one run at IEMOCAP's scale (noise)", "at most", 3072, memory["training_peak_mib"], " MiB")
    aim("forty folds of Table 1 on an H200-class GPU", "at most", 120, NOT_MEASURED, " s")
    return pd.DataFrame(rows, columns=["aim", "wanted", "measured", "met"])


def epochs(folder: Path | None = None) -> pd.DataFrame:
    """One training epoch on one thread: ours and plain PyTorch."""
    measured = load("epoch", folder)
    rows = [
        (name, who, part[f"{key}_seconds"], part[f"{key}_gflop_per_second"])
        for name, part in measured["experiments"].items()
        for who, key in (("ours", "ours"), ("plain PyTorch", "ordinary"))
    ]
    return pd.DataFrame(rows, columns=["experiment", "implementation", "seconds", "useful GFLOP/s"])


def recurrences(folder: Path | None = None) -> pd.DataFrame:
    """One Bi-LSTM layer, forward and backward, by implementation and units."""
    rows = [
        (hidden, who, part["both_ms"], part["both_ratio"], part["inference_ratio"])
        for hidden, implementations in load("recurrence", folder)["hidden"].items()
        for who, part in implementations.items()
    ]
    columns = ["units", "implementation", "training step, ms", "over nn.LSTM", "evaluation, over nn.LSTM"]
    return pd.DataFrame(rows, columns=columns)


def rates(folder: Path | None = None) -> pd.DataFrame:
    """Utterances warped per second."""
    measured = load("vtlp", folder)["utterances_per_second"]
    return pd.DataFrame(list(measured.items()), columns=["way", "utterances per second"])


def networks(folder: Path | None = None) -> pd.DataFrame:
    """The candidates of the choice of network, cheapest first: means over Emo-DB's ten validation speakers."""
    file = (folder or paths.PROJECT / "benchmarks") / "network_choice.csv"
    columns = {"epoch_seconds": "seconds per epoch", "validation_ua": "validation UA, %", "validation_loss": "loss"}
    means = pd.read_csv(file).groupby("network")[list(columns)].mean().sort_values("epoch_seconds")
    means["validation_ua"] = (100 * means["validation_ua"]).round(1)
    return means.round({"epoch_seconds": 2, "validation_loss": 3}).rename(columns=columns).reset_index()
