"""Protects the verdicts: each outcome follows from the numbers by its rule, and from nothing else."""

import re

import numpy as np
import pandas as pd
import pytest

from ser_lib import claims, tables
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import find_experiment
from ser_lib.model import describe
from ser_lib.training import build_model


def made_up(experiment: str, correct: list[int], seed: int = 0, corpus: str = "emodb") -> pd.DataFrame:
    """Predictions of one experiment: of each speaker 40 utterances, ten of each emotion, so many of them right."""
    rows = []
    for fold, right in enumerate(correct, start=1):
        for number in range(40):
            truth = EMOTIONS[number % 4]
            wrong = EMOTIONS[(number + 1) % 4]
            prediction = truth if number < right else wrong
            rows.append((corpus, experiment, fold, seed, f"{fold:02d}", truth, prediction))
    return pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "seed", "speaker", "truth", "prediction"])


NO_GRADIENTS = pd.DataFrame(columns=["corpus", "experiment", "fold", "seed", "epoch"])


def ledger_of(*predictions: pd.DataFrame, gradients: pd.DataFrame = NO_GRADIENTS) -> pd.DataFrame:
    return claims.ledger(tables.scores(pd.concat(predictions)), gradients)


def verdicts(*predictions: pd.DataFrame) -> pd.Series:
    ledger = ledger_of(*predictions)
    return ledger.set_index(["name", "corpus"])["verdict"]


BASE = [24, 20, 28, 22, 26, 18, 30, 24, 22, 26]


def shifted(steps: list[int]) -> list[int]:
    return [right + step for right, step in zip(BASE, steps, strict=True)]


def test_a_difference_on_the_claimed_side_of_zero_holds():
    found = verdicts(
        made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4, 3, 5, 4, 4, 3, 5, 4, 4, 4]))
    )
    assert found["oversampling-ua", "Emo-DB"] == claims.HOLDS
    assert found["oversampling-wa", "Emo-DB"] == claims.FAILS  # claimed to fall, and it rose


def test_a_difference_on_the_other_side_does_not_hold():
    found = verdicts(
        made_up("table1-oversampling", BASE), made_up("table1-vtlp", shifted([-4, -3, -5, -4, -4, -3, -5, -4, -4, -4]))
    )
    assert found["vtlp-ua", "Emo-DB"] == claims.FAILS


def test_an_interval_that_holds_zero_is_undecided_and_says_what_it_could_have_seen():
    differences = np.array([4.0, -3, 2, -5, 6, -4, 1, -2, 3, -1])
    verdict = claims.judge_difference(differences, direction=+1.1)
    low, high = tables.interval(differences)
    assert verdict.outcome == claims.UNDECIDED
    assert f"{(high - low) / 2:.1f} points" in verdict.basis


def test_too_few_speakers_decide_nothing_however_clear_the_difference():
    assert claims.judge_difference(np.array([5.0, 5.1, 5.2]), direction=+2.1).outcome == claims.UNDECIDED
    assert claims.judge_spread(np.array([1, 39]), np.array([40, 40])).outcome == claims.UNDECIDED


def test_without_runs_a_claim_is_not_run_yet_and_iemocap_not_testable():
    found = verdicts(made_up("table1-baseline", BASE))
    assert found["oversampling-ua", "Emo-DB"] == claims.NOT_RUN
    assert found["oversampling-ua", "RAVDESS"] == claims.NOT_RUN
    assert found["oversampling-ua", "IEMOCAP"] == claims.NOT_TESTABLE


def test_runs_on_iemocap_replace_not_testable():
    found = verdicts(
        made_up("table1-baseline", BASE, corpus="iemocap"),
        made_up("table1-oversampling", shifted([4] * 9 + [3]), corpus="iemocap"),
    )
    assert found["oversampling-ua", "IEMOCAP"] == claims.HOLDS
    assert found["oversampling-ua", "Emo-DB"] == claims.NOT_RUN


def test_editing_one_prediction_changes_the_effect():
    before = made_up("table1-baseline", BASE)
    after = made_up("table1-oversampling", shifted([1] * 10))
    effect = ledger_of(before, after).set_index(["name", "corpus"])["effect"]
    wrong = after.index[after["truth"] != after["prediction"]][0]
    after.loc[wrong, "prediction"] = after.loc[wrong, "truth"]
    edited = ledger_of(before, after).set_index(["name", "corpus"])["effect"]
    assert effect["oversampling-ua", "Emo-DB"] != edited["oversampling-ua", "Emo-DB"]


def test_only_folds_and_seeds_that_both_experiments_have_run_are_compared():
    scored = tables.scores(
        pd.concat([made_up("table1-baseline", BASE), made_up("table1-oversampling", [40] * 10, seed=1)])
    )
    difference = tables.paired_difference(scored, "emodb", "table1-oversampling", "table1-baseline", "ua")
    assert len(difference) == 0


@pytest.mark.parametrize(
    ("correct", "outcome"), [([10] * 5 + [38] * 5, claims.HOLDS), ([24, 25, 26, 24, 25, 26], claims.UNDECIDED)]
)
def test_speakers_differ_only_when_chance_does_not_explain_it(correct, outcome):
    assert claims.judge_spread(np.array(correct), np.full(len(correct), 40)).outcome == outcome


# The end of a chapter


def test_a_chapter_shows_its_claims_on_every_corpus():
    shown = claims.shown(ledger_of(made_up("table1-baseline", BASE)), "pooling", "vtlp-strategy").frame
    assert shown["Claim"].nunique() == 2
    assert shown["Corpus"].tolist() == ["Emo-DB, RAVDESS, nEMO", "IEMOCAP"] * 2  # the same finding is said once
    assert shown["Verdict"].tolist() == [claims.NOT_RUN, claims.NOT_TESTABLE] * 2


def test_a_chapter_cannot_ask_for_claims_that_are_not_there():
    with pytest.raises(SerError, match="no claim's name begins with 'poling'"):
        claims.shown(ledger_of(made_up("table1-baseline", BASE)), "pooling", "poling")


# Gradients


def made_up_gradients(conv: float, lstm: float, folds: int = 10, spread: float = 1.1) -> pd.DataFrame:
    """Norms of the baseline's layers; each of the four convolutions has the same, and every other fold has more."""
    rows = []
    for fold in range(1, folds + 1):
        for epoch in (1, 2):
            each = conv / 2 * (spread if fold % 2 else 1 / spread)  # four of them together: conv
            rows.append(("emodb", "table1-baseline", fold, 0, epoch, each, each, each, each, lstm, 1.0))
    layers = [f"conv {number}" for number in range(1, 5)] + ["lstm 1", "dense"]
    return pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "seed", "epoch", *layers])


def judged(gradients: pd.DataFrame, name: str = "gradients-norm") -> claims.Verdict:
    (claim,) = (claim for claim in claims.MEASURED if claim.name == name)
    return claim.judge(gradients, "emodb")


def test_the_ratio_of_gradients_decides_on_either_side_of_one():
    assert judged(made_up_gradients(6.0, 2.0)).outcome == claims.HOLDS
    assert judged(made_up_gradients(6.0, 2.0)).effect.startswith("3.00 times [")
    assert judged(made_up_gradients(2.0, 6.0)).outcome == claims.FAILS
    assert judged(made_up_gradients(2.0, 2.0)).outcome == claims.UNDECIDED


def test_two_speakers_decide_nothing_about_gradients_and_none_is_not_run_yet():
    assert judged(made_up_gradients(6.0, 2.0, folds=2)).outcome == claims.UNDECIDED
    assert judged(made_up_gradients(6.0, 2.0, folds=1)).basis == "1 speaker, too few to decide (at least 6)"
    assert judged(made_up_gradients(6.0, 2.0, folds=0)).outcome == claims.NOT_RUN


def test_per_weight_a_gradient_is_divided_by_the_root_of_the_number_of_weights():
    layers = describe(build_model(find_experiment("table1-baseline"))).set_index("layer")["parameters"]
    weights = layers[[f"conv {number}" for number in range(1, 5)]].sum(), layers["lstm 1"]
    table = made_up_gradients(2.0, 2.0, spread=1.0)
    ratio = claims.module_ratio(table, "table1-baseline", per_weight=True)
    assert ratio.to_numpy() == pytest.approx((weights[1] / weights[0]) ** 0.5)
    assert judged(table, "gradients-per-weight").outcome == claims.HOLDS


def test_the_ledger_judges_gradients_by_gradients():
    ledger = ledger_of(made_up("table1-baseline", BASE), gradients=made_up_gradients(6.0, 2.0))
    found = ledger.set_index(["name", "corpus"])["verdict"]
    assert found["gradients-norm", "Emo-DB"] == claims.HOLDS
    assert found["gradients-norm", "RAVDESS"] == claims.NOT_RUN
    assert found["gradients-norm", "IEMOCAP"] == claims.NOT_TESTABLE


# The paper's own numbers


def test_the_points_that_a_statement_names_are_the_direction_that_is_tested():
    for claim in claims.MEASURED:
        points = re.search(r"(raises|lowers) .*by ([\d.]+) points", claim.statement)
        if points:
            assert claim.direction == pytest.approx(float(points[2]) * (1 if points[1] == "raises" else -1)), claim.name


def test_the_papers_own_numbers_decide_the_printed_claims():
    ledger = ledger_of(made_up("table1-baseline", BASE)).set_index("name")
    assert ledger.loc["text-deltas", "verdict"] == claims.HOLDS
    assert ledger.loc["fold-means", "verdict"] == claims.HOLDS
    assert ledger.loc["five-best", "verdict"] == claims.FAILS  # the five highest average 65.9 / 68.1
    assert ledger.loc["utterances", "verdict"] == claims.HOLDS


def test_a_changed_printed_number_changes_its_verdict(monkeypatch):
    import dataclasses

    changed = tuple(
        dataclasses.replace(column, ua=column.ua + 1) if column.experiment == "table1-vtlp" else column
        for column in claims.paper.TABLE1
    )
    monkeypatch.setattr(claims.paper, "TABLE1", changed)
    assert not claims._deltas()[0]


def test_every_outcome_has_a_colour():
    assert set(claims.CSS) == {claims.HOLDS, claims.FAILS, claims.UNDECIDED, claims.NOT_TESTABLE, claims.NOT_RUN}


def test_the_page_shows_each_claim_once_with_a_verdict_per_corpus():
    ledger = ledger_of(made_up("table1-baseline", BASE))
    shown = claims.by_corpus(ledger)
    assert shown["claim"].tolist() == [claim.statement for claim in claims.MEASURED]
    assert shown.columns.tolist() == ["claim", "Emo-DB", "RAVDESS", "nEMO", "IEMOCAP"]
    assert (shown["IEMOCAP"] == claims.NOT_TESTABLE).all() and (shown["RAVDESS"] == claims.NOT_RUN).all()
