"""Which of two networks the default is: compared on the validation speakers of Emo-DB, never on test speakers.

    python benchmarks/network_choice.py --root /path/to/emodb

Every fold of `table1-vtlp` is trained for 15 epochs with each; the highest validation UA and the lowest validation
loss over the epochs are averaged over folds. Writes benchmarks/network_choice.csv.
The table that is committed was measured by a forerunner of this script, with the same networks, folds and seed.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from tqdm import tqdm

from ser_lib import corpora, features, training
from ser_lib.experiments import find_experiment
from ser_lib.folds import speaker_folds

STRIDES = ((4, 2), (2, 2), (2, 1), (2, 1))
NETWORKS = {
    "small": {"filters": (8, 16, 24, 32), "strides": STRIDES, "hidden_size": 64},
    "default": {"filters": (16, 24, 32, 32), "strides": STRIDES, "hidden_size": 128},
}


def main(root: Annotated[Path, typer.Option(help="Top folder of Emo-DB.")], epochs: int = 15) -> None:
    """Train both networks on every fold and write what the validation speakers say."""
    table = corpora.load("emodb", root)
    store = features.open_store(table)
    rows = []
    for network, settings in NETWORKS.items():
        experiment = find_experiment("table1-vtlp").with_settings(epochs=epochs, patience=epochs, **settings)
        for fold in tqdm(speaker_folds(table), desc=network, unit="fold"):
            history = training.train(table, store, experiment, fold, seed=0).history
            rows.append(
                {
                    "network": network,
                    "validation_speaker": fold.validation_speaker,
                    "validation_ua": round(history["validation_ua"].max(), 3),
                    "validation_loss": round(history["validation_loss"].min(), 3),
                }
            )
    result = pd.DataFrame(rows)
    result.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(result.groupby("network")[["validation_ua", "validation_loss"]].mean().round(3).to_string())


if __name__ == "__main__":
    typer.run(main)
