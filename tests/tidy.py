"""Small tidy tables that tests of scores, tables and pages are made of."""

import pandas as pd

from ser_lib import scoring
from ser_lib.corpora import EMOTIONS


def predictions(right_by_fold: dict[int, int], seed: int = 0, experiment: str = "table1-best") -> pd.DataFrame:
    """Of each fold's speaker 20 utterances; the first so many are right, the others taken for the next emotion."""
    rows = []
    for fold, right in right_by_fold.items():
        for number in range(20):
            truth = EMOTIONS[number % 4]
            guess = truth if number < right else EMOTIONS[(number + 1) % 4]
            rows.append(("emodb", experiment, fold, seed, f"s{fold}", truth, guess))
    return pd.DataFrame(rows, columns=[*scoring.RUN, "speaker", "truth", "prediction"])


NONE = predictions({})
NO_FAILURES = pd.DataFrame(columns=[*scoring.RUN, "epoch"])


def scored(experiment: str, ua_by_fold: dict[int, float], seed: int = 0, corpus: str = "emodb") -> pd.DataFrame:
    """Scores of one seed of an experiment, by fold; WA is half of UA, so that a mix-up of the two shows."""
    rows = [(corpus, experiment, fold, seed, f"s{fold}", 20, 10, ua / 2, ua) for fold, ua in ua_by_fold.items()]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "test_speaker", "utterances", "correct", "wa", "ua"])


def failed(experiment: str, folds: list[int], corpus: str = "emodb") -> pd.DataFrame:
    return pd.DataFrame([(corpus, experiment, fold, 0, 3) for fold in folds], columns=NO_FAILURES.columns)


def shuffled(*parts: pd.DataFrame) -> pd.DataFrame:
    """The rows of all tables, in no order."""
    return pd.concat(parts).sample(frac=1, random_state=1)


def histories(ua_by_epoch: dict[int, list[float]], experiment: str = "table1-best") -> pd.DataFrame:
    """Validation scores of each fold, epoch by epoch; WA is half of UA."""
    rows = [
        ("emodb", experiment, fold, 0, epoch, ua / 2, ua)
        for fold, scores in ua_by_epoch.items()
        for epoch, ua in enumerate(scores, start=1)
    ]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "epoch", "validation_wa", "validation_ua"])


def runs(best_epochs: dict[int, int], experiment: str = "table1-best") -> pd.DataFrame:
    rows = [("emodb", experiment, fold, 0, f"v{fold}", epoch) for fold, epoch in best_epochs.items()]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "validation_speaker", "best_epoch"])


def made(experiment: str, folds: range, seeds: int = 1, corpus: str = "emodb", **changed) -> pd.DataFrame:
    """Runs of 30 s in 10 epochs, as in the table of runs."""
    rows = [(corpus, experiment, fold, seed) for fold in folds for seed in range(seeds)]
    same = {"seconds": 30.0, "epochs": 10, "peak_memory_mib": 1000, "code": "abc", "hardware": "an abacus"}
    return pd.DataFrame(rows, columns=scoring.RUN).assign(**same | {"device": "cpu"} | changed)
