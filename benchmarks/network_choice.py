"""Which network the default is: candidates compared on validation speakers of Emo-DB, never on test speakers.

    python benchmarks/network_choice.py --root /path/to/emodb [--part 1/2]

Every fold of `table1-vtlp` is trained for 15 epochs with each candidate. The rule, fixed before it was run: the
cheapest candidate, by processor time of an epoch, whose mean over folds of the highest validation UA is not below that
of the best candidate by more than one standard error of their paired difference over folds, and whose mean lowest
validation loss is not above that of the candidate with the highest UA by more than one standard error, either.

Writes benchmarks/network_choice.csv, a line as soon as each training is done; what is there already is not repeated.
Two processes with --part 1/2 and --part 2/2 share the work.
"""

import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from tqdm import tqdm

from ser_lib import corpora, features, speed, training
from ser_lib.experiments import find_experiment
from ser_lib.folds import speaker_folds

FILTERS, HIDDEN = (16, 24, 32, 32), 128
KERNELS = ((5, 5), (3, 3), (3, 3), (3, 3))
STRIDES = ((4, 2), (2, 2), (2, 1), (2, 1))
TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ["network", "fold", "validation_speaker", "seed", "validation_ua", "validation_loss", "epoch_seconds"]


def network(filters=FILTERS, kernels=KERNELS, strides=STRIDES, hidden_size=HIDDEN) -> dict:
    return {"filters": filters, "kernels": kernels, "strides": strides, "hidden_size": hidden_size}


NETWORKS = {
    "first default": network(),
    "fewer filters": network(filters=(8, 16, 24, 32)),
    "half hidden": network(hidden_size=64),
    "fewer filters, half hidden": network(filters=(8, 16, 24, 32), hidden_size=64),
    "coarser bins": network(strides=((4, 2), (4, 2), (2, 1), (2, 1))),
    "coarser time": network(strides=((4, 2), (2, 2), (2, 2), (2, 1))),
    "finer bins": network(strides=((2, 2), (2, 2), (2, 1), (2, 1))),
    "finer time": network(strides=((4, 2), (2, 1), (2, 1), (2, 1))),
    "larger kernels": network(kernels=((5, 7), (5, 5), (3, 5), (3, 3))),
    "double filters": network(filters=(32, 48, 64, 64)),
    "double hidden": network(hidden_size=256),
}


def measured() -> pd.DataFrame:
    """What has been measured so far."""
    return pd.read_csv(TABLE, dtype={"validation_speaker": str}) if TABLE.exists() else pd.DataFrame(columns=COLUMNS)


def main(
    root: Annotated[Path, typer.Option(help="Top folder of Emo-DB.")],
    epochs: int = 15,
    seed: int = 0,
    part: Annotated[str, typer.Option(help="Which share of the work, such as 1/2.")] = "1/1",
) -> None:
    """Train all candidates on every fold, write what the validation speakers say, and name the choice."""
    share, shares = map(int, part.split("/"))
    table = corpora.load("emodb", root)
    store = features.open_store(table)
    work = [(fold, name) for fold in speaker_folds(table) for name in NETWORKS][share - 1 :: shares]
    for fold, name in tqdm(work, unit="training", desc=f"part {part}"):
        done = measured()
        if ((done["network"] == name) & (done["fold"] == fold.number) & (done["seed"] == seed)).any():
            continue
        experiment = find_experiment("table1-vtlp").with_settings(epochs=epochs, patience=epochs, **NETWORKS[name])
        start = time.process_time()
        history = training.train(table, store, experiment, fold, seed).history
        row = {
            "network": name,
            "fold": fold.number,
            "validation_speaker": fold.validation_speaker,
            "seed": seed,
            "validation_ua": round(history["validation_ua"].max(), 4),
            "validation_loss": round(history["validation_loss"].min(), 4),
            "epoch_seconds": round((time.process_time() - start) / epochs, 3),
        }
        pd.DataFrame([row], columns=COLUMNS).to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False)
    result = speed.network_choice(measured())
    print(result.round(3).to_string())
    print(f"the cheapest that is as good as the best: {result.index[result['as_good']][0]}")


if __name__ == "__main__":
    typer.run(main)
