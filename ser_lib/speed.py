"""What the benchmarks measured, as tables beside what was aimed at; every number comes from ``benchmarks/``."""

import pandas as pd

from ser_lib import paths
from ser_lib.files import read_json

NOT_MEASURED = "not measured"


FOLDER = paths.PROJECT / "benchmarks"


def load(name: str) -> dict:
    """What ``benchmarks/<name>.py`` wrote.

    Raises:
        SerError: the file is not there or is not JSON; the message says how it is made.
    """
    return read_json(FOLDER / f"{name}.json", f"run python benchmarks/{name}.py")


def optional(name: str) -> dict:
    """As :func:`load`, but empty where nothing was measured: what needs a GPU."""
    return load(name) if (FOLDER / f"{name}.json").exists() else {}


def targets() -> pd.DataFrame:
    """What was aimed at, beside what was measured: ``Aim``, ``Wanted``, ``Measured`` and whether it was ``Met``."""
    epoch, recurrence, memory, vtlp, store, forty, startup, growth = (
        load(name) for name in ("epoch", "recurrence", "memory", "vtlp", "store", "forty_folds", "startup", "growth")
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
        for way in ("train_on_batch", "fit"):
            ratio = NOT_MEASURED if part["keras"] == NOT_MEASURED else part["keras"][way]["ratio"]
            aim(f"epoch of {name} without VTLP: times as fast as Keras, {way}", "at least", 5, ratio, " ×")
    at_once = {part["runs"]: part["utterances_per_second"] for part in growth["by_runs_at_once"]}
    of_growth = f"{growth['experiment']}, utterances of 135 frames"
    for runs, ratio in (("table1-baseline", epoch["two_over_one"]), (of_growth, round(at_once[2] / at_once[1], 2))):
        aim(f"two runs at once on two cores, {runs}: throughput over one", "at least", 1.8, ratio, " ×")
    for hidden, part in recurrence["hidden"].items():
        ratio = part["scope all"]["both_ratio"]
        aim(f"BatchNormLSTM of {hidden} units: time over nn.LSTM, packed", "at most", 1, ratio, " ×")
    aim("VTLP: times as fast as nlpaug", "at least", 250, vtlp["over_nlpaug"], " ×")
    aim("recordings to store: time over decoding and torch.stft", "at most", 1.5, store["ratio"], " ×")
    aim(f"forty folds of Table 1 on Emo-DB, {forty['cores']} cores", "at most", 3600, forty["seconds"], " s")
    aim("memory of one run at IEMOCAP's scale (noise)", "at most", 3072, memory["training_peak_mib"], " MiB")
    aim("the command line's help", "at most", 0.5, startup["help_seconds"], " s")
    aim("the whole book from committed results, nothing cached", "at most", 120, startup["book_seconds"], " s")
    gpu, forty_gpu = (optional(name) for name in ("gpu", "forty_folds_gpu"))
    on = f", {forty_gpu['hardware']}" if forty_gpu else ""
    aim(f"forty folds of Table 1 on a GPU{on}", "at most", 120, forty_gpu.get("seconds", NOT_MEASURED), " s")
    over_copying = gpu["vtlp"]["ratio"] if gpu else NOT_MEASURED
    aim("VTLP on a GPU: time over copying the batch", "at most", 2, over_copying, " ×")
    return pd.DataFrame(rows, columns=["Aim", "Wanted", "Measured", "Met"])


def epochs() -> pd.DataFrame:
    """One training epoch on one thread: ours, plain PyTorch, and Keras in two ways."""
    measured = load("epoch")
    rows = []
    for name, part in measured["experiments"].items():
        seconds = {"ours": part["ours_seconds"], "plain PyTorch": part["ordinary_seconds"]}
        if part["keras"] != NOT_MEASURED:
            seconds |= {f"Keras, {way}": measurement["seconds"] for way, measurement in part["keras"].items()}
        rows += [(name, who, value, round(part["useful_gflop"] / value, 1)) for who, value in seconds.items()]
    return pd.DataFrame(rows, columns=["Experiment", "Implementation", "Seconds", "Useful GFLOP/s"])


def against_keras() -> pd.DataFrame:
    """What the aim of five times Keras asks of the processor, beside the best that it was seen to do, GFLOP/s."""
    measured = load("epoch")
    rows = []
    for name, part in measured["experiments"].items():
        if part["keras"] == NOT_MEASURED:
            continue
        fastest = min(way["seconds"] for way in part["keras"].values())
        own = part["useful_gflop"] / fastest
        product, convolution = (measured[f"{kind}_peak_gflop_per_second"] for kind in ("gemm", "convolution"))
        share = f"{100 * 5 * own / convolution:.0f} %"
        ours = part["ours_gflop_per_second"]
        rows.append((name, round(own, 1), ours, product, convolution, round(5 * own, 1), share))
    columns = ["Experiment", "Keras", "Ours", "Best product", "Best convolution", "Five times Keras"]
    columns.append("Five times Keras, of the best convolution")
    return pd.DataFrame(rows, columns=columns)


def on_gpu() -> pd.DataFrame:
    """Training the best model at IEMOCAP's scale on a GPU, by precision, beside the roofline; empty if not measured."""
    measured = optional("gpu")
    rows = [
        (
            measured["hardware"],
            precision,
            part["utterances_per_second"],
            part["useful_gflop_per_second"],
            measured["roofline"][f"{precision}_gflop_per_second"],
            measured["roofline"]["copy_gb_per_second"],
        )
        for precision, part in measured.get("epoch", {}).items()
    ]
    columns = ["Hardware", "Precision", "Utterances per second", "Useful GFLOP/s", "GEMM, GFLOP/s", "Copy, GB/s"]
    return pd.DataFrame(rows, columns=columns)


def agreement() -> pd.DataFrame:
    """Whether a GPU and a processor give the same probabilities after one epoch; empty if not measured."""
    measured = optional("gpu")
    if not measured:
        return pd.DataFrame()
    part = measured["agreement"]
    same = f"{part['same_prediction']} of {part['utterances']}"
    row = (measured["hardware"], f"{part['largest_difference_of_a_probability']:.2g}", same)
    return pd.DataFrame([row], columns=["Hardware", "Largest difference of a probability", "Same prediction"])


def stores() -> pd.DataFrame:
    """From the recordings of Emo-DB to spectrograms, by way."""
    measured = load("store")["seconds"]
    return pd.DataFrame(list(measured.items()), columns=["Way", "Seconds"])


def growth() -> dict[str, pd.DataFrame]:
    """How cost grows: tables ``by_utterances`` and ``by_frames`` of an epoch, and ``by_runs_at_once`` of throughput."""
    measured = load("growth")
    return {name: pd.DataFrame(measured[name]) for name in ("by_utterances", "by_frames", "by_runs_at_once")}


def recurrences() -> pd.DataFrame:
    """One Bi-LSTM layer, forward and backward, by implementation and units."""
    rows = [
        (hidden, who, part["both_ms"], part["both_ratio"], part["inference_ratio"])
        for hidden, implementations in load("recurrence")["hidden"].items()
        for who, part in implementations.items()
    ]
    columns = ["Units", "Implementation", "Training step (ms)", "Over nn.LSTM", "Evaluation, over nn.LSTM"]
    return pd.DataFrame(rows, columns=columns)


def rates() -> pd.DataFrame:
    """Utterances warped per second."""
    measured = load("vtlp")["utterances_per_second"]
    return pd.DataFrame(list(measured.items()), columns=["Way", "Utterances per second"])


def networks() -> pd.DataFrame:
    """The candidates of the choice of network, cheapest first: means over Emo-DB's ten validation speakers."""
    file = FOLDER / "network_choice.csv"
    means = network_choice(pd.read_csv(file)).reset_index()
    return pd.DataFrame(
        {
            "Network": means["network"],
            "Seconds per epoch": means["epoch_seconds"].round(2),
            "Validation UA (%)": (100 * means["validation_ua"]).round(1),
            "Loss": means["validation_loss"].round(3),
            "As good as the best": means["as_good"].map({True: "yes", False: "no"}),
        }
    )


def network_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Means of each network, cheapest first, and paired differences to the one with the highest validation UA.

    A network is ``as good`` if neither UA nor loss is worse than the best network's by more than a standard error.
    """
    scores = table.pivot_table(index=["fold", "seed"], columns="network", values=["validation_ua", "validation_loss"])
    best = scores["validation_ua"].mean().idxmax()
    result = table.groupby("network")[["epoch_seconds", "validation_ua", "validation_loss"]].mean()
    as_good = pd.Series(True, index=result.index)
    for kind, worse in (("validation_ua", -1), ("validation_loss", 1)):
        difference = scores[kind].sub(scores[kind][best], axis=0)
        folds = difference.groupby("fold").mean()  # seeds of a fold are not independent of each other
        result[f"{kind}_difference"], result[f"{kind}_error"] = folds.mean(), folds.sem()
        as_good &= worse * folds.mean() <= folds.sem()
    return result.assign(as_good=as_good).sort_values("epoch_seconds")
