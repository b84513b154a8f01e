"""Made-up runs as evidence, for the tests of statements and of what is found of them."""

import dataclasses
from pathlib import Path

import pandas as pd

from ser_lib import claims, collection, findings, records, statements
from ser_lib.corpora import EMOTIONS

NOWHERE = Path("no such folder")
BASE = [24, 20, 28, 22, 26, 18, 30, 24, 22, 26]


def made_up(experiment: str, correct: list[int], seed: int = 0, corpus: str = "emodb") -> pd.DataFrame:
    """Predictions of one experiment: of each speaker 40 utterances, ten of each emotion, so many of them right."""
    rows = []
    for fold, right in enumerate(correct, start=1):
        for number in range(40):
            truth = EMOTIONS[number % 4]
            wrong = EMOTIONS[(number + 1) % 4]
            prediction = truth if number < right else wrong
            rows.append((corpus, experiment, fold, seed, f"{number:03d}", f"{fold:02d}", truth, prediction))
    columns = ["corpus", "experiment", "fold", "seed", "utterance", "speaker", "truth", "prediction"]
    return pd.DataFrame(rows, columns=columns).assign(**{f"p_{emotion}": 0.25 for emotion in EMOTIONS})


def answers(*correct: list[int]) -> pd.DataFrame:
    """What the spread of speakers is judged by: of each seed, how many answers of each speaker are right."""
    made = pd.concat([made_up("table1-best", right, seed) for seed, right in enumerate(correct)])
    return made.assign(correct=made["truth"] == made["prediction"])


def evidence_of(
    *predictions: pd.DataFrame,
    utterances: dict | None = None,
    repeats: pd.DataFrame | None = None,
    **kinds: pd.DataFrame,
):
    """Evidence from some tables of records; the others are empty."""
    empty = collection.load_results(folder=NOWHERE)
    results = dataclasses.replace(empty, **kinds)
    if predictions:
        results = dataclasses.replace(results, predictions=pd.concat(predictions))
    if "runs" not in kinds:
        made = results.predictions[records.IDENTITY].drop_duplicates()
        results = dataclasses.replace(results, runs=made.assign(hardware="a processor", device="cpu", torch="2.13.0"))
    unsaid = {column: "" for column in ("configuration", "fingerprint") if column not in results.runs}
    results = dataclasses.replace(results, runs=results.runs.assign(**unsaid))
    none = collection.load_repeats(NOWHERE)
    given = {"utterances": utterances or {}, "repeats": none if repeats is None else repeats}
    return dataclasses.replace(statements.Evidence.of(results), **given)


def ledger_of(*predictions: pd.DataFrame, **kinds: pd.DataFrame) -> pd.DataFrame:
    return findings.ledger(evidence_of(*predictions, **kinds))


def found_in(*predictions: pd.DataFrame) -> pd.Series:
    return ledger_of(*predictions).set_index(["name", "corpus"])["verdict"]


def named(name: str) -> statements.Statement:
    (claim,) = (claim for claim in claims.MEASURED if claim.name == name)
    return claim


def shifted(steps: list[int]) -> list[int]:
    return [right + step for right, step in zip(BASE, steps, strict=True)]
