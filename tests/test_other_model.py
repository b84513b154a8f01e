"""Protects the comparison with another model: the same utterances, the paper's folds, and nothing left out silently."""

import pandas as pd
import pytest

from ser_lib import other_model, paper, scoring
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError

SPEAKERS = {"01": ("F", 1), "02": ("M", 1), "03": ("F", 2), "04": ("M", 2)}
UTTERANCES = pd.DataFrame(
    [
        (f"{speaker}{emotion[0]}{take}", speaker, gender, session, emotion)
        for speaker, (gender, session) in SPEAKERS.items()
        for emotion in EMOTIONS
        for take in range(2)
    ],
    columns=["utterance", "speaker", "gender", "session", "emotion"],
)


def answers(right: dict[str, float], **columns: object) -> pd.DataFrame:
    """Predictions of every utterance; of each speaker so many of the neutral ones wrong."""
    wrong = UTTERANCES["speaker"].map(right).fillna(0) > UTTERANCES.groupby(["speaker", "emotion"]).cumcount()
    wrong &= UTTERANCES["emotion"] == "neutral"
    return UTTERANCES[["utterance"]].assign(prediction=UTTERANCES["emotion"].where(~wrong, "anger"), **columns)


def read(table: pd.DataFrame, tmp_path, corpus: str = "emodb") -> pd.DataFrame:
    table.to_csv(tmp_path / "other.csv", index=False)
    return other_model.read(tmp_path / "other.csv", corpus, UTTERANCES)


def test_utterances_are_tested_in_the_fold_of_their_speaker_and_leading_zeros_stay(tmp_path):
    found = read(answers({}).sample(frac=1, random_state=0), tmp_path)
    assert len(found) == len(UTTERANCES) and set(found["seed"]) == {0}
    assert dict(found[["speaker", "fold"]].drop_duplicates().to_numpy()) == {"01": 1, "02": 2, "03": 3, "04": 4}
    assert (found["truth"] == found["prediction"]).all()
    assert scoring.scores(found)["ua"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda t: t.replace("01n0", "01n7"), r"line 2: emodb has no utterance '01n7'; did you mean '01n"),
        (lambda t: t.replace("anger", "fury"), r"line \d+: 'fury' is none of neutral, sadness, anger, happiness"),
        (lambda t: pd.concat([t, t.tail(1)]), "line 34: this utterance was there before, with the same seed"),
        (lambda t: t.iloc[:-2], "of seed 0 2 utterances of emodb are missing, such as 04h0"),
        (lambda t: pd.concat([t, t.iloc[1:].assign(seed=1)]), "of seed 1 1 utterance of emodb are missing"),
        (lambda t: t.rename(columns={"prediction": "label"}), "lacks the column.* prediction"),
    ],
)
def test_what_does_not_cover_the_corpus_once_is_refused_by_line(tmp_path, damage, said):
    with pytest.raises(SerError, match=said):
        read(damage(answers({}, seed=0)), tmp_path)


def ours(corpus: str, experiment: str, ua: dict[int, float], seed: int = 0) -> pd.DataFrame:
    rows = [(corpus, experiment, fold, seed, f"0{fold}", 8, 4, value / 2, value) for fold, value in ua.items()]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "test_speaker", "utterances", "correct", "wa", "ua"])


def test_the_difference_is_by_speaker_with_the_seeds_of_either_side_averaged(tmp_path):
    """One of two neutral utterances wrong is a UA of 7/8, and both 3/4; ours has one seed more."""
    two = [answers({"01": 1}, seed=3), answers({"01": 2}, seed=5)]
    predictions = read(pd.concat(two), tmp_path)
    ua = {1: 0.5, 2: 0.75, 3: 0.75, 4: 0.75}
    scored = pd.concat([ours("emodb", "table1-best", ua), ours("emodb", "table1-best", ua, seed=1)])
    scored = pd.concat([scored, ours("emodb", "table1-vtlp", dict.fromkeys(ua, 0.1))])
    table = other_model.beside(predictions, scored, "table1-best")
    assert table.loc["other model"].tolist() == ["95.3 (4 folds)", "95.3 (4 folds)"]
    assert table.loc["table1-best"].tolist() == ["68.8 (4 folds)", "34.4 (4 folds)"]
    assert table.loc["difference"].tolist() == ["+26.6 (4 folds)", "+60.9 (4 folds)"]
    said = other_model.described(table, predictions)
    assert said.startswith("Emo-DB, 32 utterances, 4 speakers, 2 seeds: per cent, mean over folds\n")


def test_without_runs_of_ours_the_paper_s_score_stands_beside_it_on_iemocap_and_only_there(tmp_path):
    for corpus, missing, printed in (("iemocap", "not run here", True), ("emodb", "not run yet", False)):
        predictions = read(answers({}), tmp_path, corpus)
        table = other_model.beside(predictions, ours("nemo", "table1-best", {1: 0.5}), "table1-best")
        assert table.loc["table1-best"].tolist() == [missing, missing] and "difference" not in table.index
        assert ("table1-best, in print" in table.index) == printed
        if printed:
            best = paper.COLUMNS["table1-best"]
            assert table.loc["table1-best, in print"].tolist() == [f"{best.ua:.1f}", f"{best.wa:.1f}"]
