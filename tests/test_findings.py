"""Protects the ledger and what pages show of it: every verdict with what it rests on, each counted once."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from evidence import BASE, evidence_of, ledger_of, made_up, named, shifted
from ser_lib import claims, findings, records, scoring, statements, verdicts
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError


def test_a_chapter_shows_its_claims_on_every_corpus_that_can_be_had():
    runs = made_up("table1-baseline", BASE), made_up("pooling-max", shifted([4] * 9 + [3]))
    shown = findings.shown(evidence_of(*runs), "pooling", "vtlp-strategy").frame
    assert shown.columns.tolist() == ["Claim", "Emo-DB", "RAVDESS", "nEMO"]
    assert shown["Claim"].map(str).tolist() == [named(n).statement for n in ("vtlp-strategy-ua", "pooling-ua")]
    assert shown["RAVDESS"].map(str).tolist() == [verdicts.NOT_RUN] * 2
    assert str(shown["Emo-DB"][1]).startswith("does not hold: +9.8 [") and str(shown["Emo-DB"][0]) == verdicts.NOT_RUN
    on_iemocap = made_up("table1-baseline", BASE, corpus="iemocap"), made_up("pooling-max", BASE, corpus="iemocap")
    assert "IEMOCAP" in findings.shown(evidence_of(*on_iemocap), "pooling").frame


def test_a_chapter_cannot_ask_for_claims_that_are_not_there():
    with pytest.raises(SerError, match="no claim's name begins with 'poling'"):
        findings.shown(evidence_of(made_up("table1-baseline", BASE)), "pooling", "poling")


def test_every_outcome_has_a_colour():
    assert set(findings.CSS) == {
        verdicts.HOLDS,
        verdicts.FAILS,
        verdicts.UNDECIDED,
        verdicts.NOT_TESTABLE,
        verdicts.NOT_RUN,
    }


def test_the_command_that_tests_a_claim_on_iemocap_stands_below_its_test_until_it_was_run():
    def notes(*runs):
        shown = findings.tests(ledger_of(*runs)).set_index("Claim")["Test"]
        return {str(claim): cell.note for claim, cell in shown.items()}

    claim = named("pooling-ua")
    assert notes()[claim.statement] == f"On IEMOCAP: `{claim.command('iemocap')}`"
    made = (made_up(name, BASE, corpus="iemocap") for name in claim.experiments)
    assert notes(*made)[claim.statement] == ""


def test_the_first_page_has_one_line_per_statement_with_a_verdict_per_corpus_and_links():
    ledger = ledger_of(made_up("table1-baseline", BASE))
    shown = findings.by_claim(ledger)
    assert shown["Claim"].astype(str).tolist() == [claim.statement for claim in claims.MEASURED]
    assert shown.columns.tolist() == ["Claim", "Emo-DB", "RAVDESS", "nEMO", "IEMOCAP", "Test"]
    assert (shown["IEMOCAP"].astype(str) == verdicts.NOT_TESTABLE).all()
    assert set(shown["RAVDESS"].astype(str)) == {verdicts.NOT_RUN, "–"}  # of IEMOCAP alone: the headline, the frames
    names = [claim.name for claim in claims.MEASURED]
    assert [cell.href for cell in shown["Test"]] == [f"#test-{name}" for name in names]
    everything = findings.tests(ledger)
    anchors = [cell.anchor for cell in everything["Claim"]]
    assert {cell.href.removeprefix("#") for cell in shown["Test"]} <= set(anchors) and len(set(anchors)) == len(anchors)
    others = findings.by_number(ledger)
    assert len(others) + len(shown) == len(everything)


def test_the_first_page_counts_every_statement_on_every_corpus_once():
    ledger = ledger_of(made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3])))
    counts = findings.in_short(ledger).set_index("Asked of")
    assert list(counts.index) == ["Emo-DB", "RAVDESS", "nEMO", "IEMOCAP", "the printed numbers", "nothing at hand"]
    assert counts.to_numpy().sum() == len(ledger)
    for row in ledger.itertuples(index=False):
        counts.loc[row.corpus if row.corpus in counts.index else "nothing at hand", row.verdict] -= 1
    assert not counts.to_numpy().any()


def test_every_verdict_of_runs_is_counted_in_its_chapter():
    ledger = ledger_of(made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3])))
    shown = findings.by_chapter(ledger)
    assert shown.columns.tolist() == ["Of", "Emo-DB"]
    assert shown.set_index(shown["Of"].map(lambda cell: cell.href))["Emo-DB"].to_dict() == {
        "tables.html": "1 holds, 1 does not"
    }
    assert {claim.chapter for claim in claims.MEASURED} == set(findings._TOPICS)


def test_it_is_said_when_the_tests_that_decide_were_fixed_and_how_much_chance_decides():
    """Both lines test a plain difference: that of UA as it was fixed, that of WA made stricter since."""
    ledger = ledger_of(made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3])))
    assert findings.how_decided(ledger) == (
        "Of 2 lines that runs were made for, 2 are decided: 1 by tests that stand as they were fixed before these runs "
        "were read; 1 by tests that were made stricter afterwards. 2 of the lines test a plain difference of scores at "
        "5 %: were there no differences at all, 0.1 of them would be decided by chance; 2 are."
    )
    nothing = ledger_of(made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4, -4] * 5)))
    assert findings.how_decided(nothing).startswith("Of 2 lines that runs were made for, 0 are decided: 0 by tests")


def test_a_verdict_on_the_performance_is_beside_that_of_wa_where_it_is_another():
    """Recall falls where few utterances are: UA falls with it, and WA does not."""
    rare = made_up("table1-baseline", BASE)
    rare = rare[(rare["truth"] != EMOTIONS[0]) | (rare["utterance"] < "004")]
    worse = rare.assign(experiment="pooling-max")
    lost = (worse["truth"] == EMOTIONS[0]) & (worse["fold"].isin(range(1, 10)))
    worse.loc[lost, "prediction"] = EMOTIONS[1]
    won = worse[worse["prediction"] != worse["truth"]].drop(worse.index[lost], errors="ignore").groupby("fold").head(1)
    worse.loc[won.index, "prediction"] = won["truth"]
    shown = findings.decided_by_wa(evidence_of(rare, worse))
    (line,) = shown.frame.itertuples(index=False)
    assert str(line[0]) == named("pooling-ua").statement and line[1] == "Emo-DB"
    assert [cell.text for cell in line[2:]] == [verdicts.HOLDS, verdicts.UNDECIDED]
    assert shown.source == "Of 1 verdict on the performance, tested as UA, 1 would be others."
    with_metric = [claim for claim in claims.MEASURED if claims.TESTED_AS_UA in claim.statement]
    assert all(claim.metric == "ua" for claim in with_metric)


def test_a_verdict_that_decides_says_how_many_runs_were_compared_across_hardware():
    runs = made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3]))
    made = pd.concat(runs)[records.IDENTITY].drop_duplicates().assign(test_speaker="a", device="cpu", torch="2.13.0")
    other = (made["experiment"] == "table1-oversampling") & (made["fold"] <= 3)
    made["hardware"] = np.where(other, "a GPU", "a processor")
    line = findings.ledger(evidence_of(*runs, runs=made), [named("oversampling-ua")]).set_index("corpus").loc["Emo-DB"]
    assert line["basis"] == "10 speakers; 3 of 10 compared on unlike hardware"
    small = made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4, -4] * 5))
    line = findings.ledger(evidence_of(*small, runs=made), [named("oversampling-ua")]).set_index("corpus").loc["Emo-DB"]
    assert line["verdict"] == verdicts.UNDECIDED and "hardware" not in line["basis"]


def test_what_is_decided_is_every_line_with_such_a_verdict_and_no_other():
    evidence = evidence_of(made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3])))
    ledger = findings.ledger(evidence)
    shown = findings.decided(ledger)
    whole = findings.by_claim(ledger)
    corpora = ["Emo-DB", "RAVDESS", "nEMO"]
    assert shown.columns.tolist() == ["Claim", *corpora, "Test fixed"]  # nothing of IEMOCAP can be tested here
    outcomes = whole[corpora].map(lambda cell: cell.text)
    decisive = outcomes.isin([verdicts.HOLDS, verdicts.FAILS]).any(axis=1)
    assert 0 < decisive.sum() < len(whole)
    assert shown["Claim"].tolist() == whole.loc[decisive, "Claim"].tolist()
    pd.testing.assert_frame_equal(shown[corpora].map(str), outcomes[decisive].reset_index(drop=True))
    fixed = [ledger.loc[ledger["claim"] == str(claim), "fixed"].iloc[0] for claim in shown["Claim"]]
    assert shown["Test fixed"].tolist() == fixed
    held = ledger_of(made_up("table1-baseline", BASE, corpus="iemocap"), made_up("table1-oversampling",
                     shifted([4] * 9 + [3]), corpus="iemocap"))  # fmt: skip
    assert "IEMOCAP" in findings.decided(held)


def test_a_verdict_that_leans_on_one_seed_of_a_reference_is_named_with_what_every_seed_says():
    """The reference is 4 utterances of 40 low with seed 0 and as much too high with seed 1; nothing is gained on it."""
    gains = [1, -1, 2, 0, 1, -1, 2, 0, 1, -1]
    evidence = evidence_of(
        made_up("table1-baseline", shifted([-4] * 10)),
        made_up("table1-baseline", shifted([4] * 10), seed=1),
        made_up("table1-oversampling", shifted(gains)),
        made_up("table1-vtlp", shifted(gains)),
    )
    ledger = findings.ledger(evidence)
    table = ledger[ledger["verdict_every"] != ""].set_index("name")
    assert table["corpus"].eq("Emo-DB").all()  # what was not run has none
    assert all(isinstance(named(name), statements.OF_SCORES) for name in table.index)
    points = 100 * np.array(gains) / 40
    ends = [points.mean(), *scoring.interval(points)]
    assert table.loc["oversampling-ua", "verdict"] == verdicts.HOLDS
    assert table.loc["oversampling-ua", "verdict_every"] == verdicts.UNDECIDED
    assert table.loc["oversampling-ua", "effect"] == "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(end + 10 for end in ends))
    assert table.loc["oversampling-ua", "effect_every"] == "{:+.1f} [{:+.1f}, {:+.1f}]".format(*ends)
    assert table.loc["vtlp-ua", "effect"] == table.loc["vtlp-ua", "effect_every"]  # one seed on both sides

    shown = findings.decided_otherwise(evidence)
    others = table[table["verdict"] != table["verdict_every"]]
    assert shown.frame["Claim"].map(str).tolist() == others["claim"].tolist() and "oversampling-ua" in others.index
    unlike = (table["effect"] != table["effect_every"]).sum()
    assert 0 < unlike < len(table)
    assert f"Of {len(table)} verdicts" in shown.source and f" {unlike} have another effect" in shown.source
    assert f"and {len(others)} another verdict" in shown.source

    first_page = findings.decided(ledger).set_index("Claim")["Emo-DB"]
    notes = {str(claim): cell.note for claim, cell in first_page.items()}
    assert notes[named("oversampling-ua").statement] == "undecided with every seed"
    alike = table[table["verdict"] == table["verdict_every"]]["claim"]
    assert not any(notes.get(claim) for claim in alike)
    chapter = findings.shown(evidence, "oversampling", "vtlp-ua").frame.set_index("Claim")["Emo-DB"]
    marked = {str(claim): str(cell) for claim, cell in chapter.items()}
    assert marked[named("oversampling-ua").statement].startswith("holds: +")
    assert marked[named("oversampling-ua").statement].endswith("; undecided with every seed")
    assert "every seed" not in marked[named("vtlp-ua").statement]


def test_a_verdict_that_another_machine_does_not_find_is_named_with_what_it_finds():
    """What oversampling gains is gone when its runs are made again; those of VTLP were made on the same machine."""
    runs = [made_up("table1-baseline", BASE)]
    runs += [made_up(name, shifted([4] * 9 + [3])) for name in ("table1-oversampling", "table1-vtlp")]
    machines = {"table1-oversampling": ("a GPU", "a processor"), "table1-vtlp": ("a GPU", "a GPU")}
    repeats = pd.DataFrame(
        [
            {"corpus": "emodb", "experiment": name, "fold": fold, "seed": 0, "hardware_before": before,
             "hardware": after, "torch": "2.13.0", "wa": right / 40, "ua": right / 40}
            for name, (before, after) in machines.items()
            for fold, right in enumerate(shifted([2, -2] * 5), start=1)
        ]
    )  # fmt: skip
    evidence = evidence_of(*runs, repeats=repeats)
    table = findings.ledger(evidence).set_index(["name", "corpus"])
    line = table.loc[("oversampling-ua", "Emo-DB")]
    assert [line["verdict"], line["verdict_again"]] == [verdicts.HOLDS, verdicts.UNDECIDED]
    assert line["effect"].startswith("+9.") and line["effect_again"].startswith("+0.0")
    of_oversampling = [claim.name for claim in claims.MEASURED if "table1-oversampling" in claim.experiments]
    judged = table.index[table["verdict_again"] != ""]
    assert len(judged) and {name for name, _ in judged} <= set(of_oversampling)
    assert {corpus for _, corpus in judged} == {"Emo-DB"}

    shown = findings.decided_again(evidence)
    assert named("oversampling-ua").statement in shown.frame["Claim"].map(str).tolist()
    assert f"Of {len(judged)} verdicts" in shown.source
    first_page = findings.decided(findings.ledger(evidence)).set_index("Claim")["Emo-DB"]
    notes = {str(claim): cell.note for claim, cell in first_page.items()}
    assert notes[named("oversampling-ua").statement] == "undecided with runs made again"


def test_deleting_the_records_of_a_claim_changes_its_line():
    runs = [made_up("table1-baseline", BASE), made_up("table1-oversampling", shifted([4] * 9 + [3]))]
    lines = []
    for part in (runs, runs[:1]):
        shown = findings.by_claim(ledger_of(*part))
        of_claim = shown["Claim"].astype(str).str.contains("Oversampling raises UA")
        lines += shown.loc[of_claim, "Emo-DB"].astype(str).tolist()
    assert lines[0].startswith("holds: +9.8") and lines[1] == verdicts.NOT_RUN


def test_a_line_says_how_many_speakers_and_seeds_it_rests_on():
    runs = [made_up(name, BASE, seed) for name in ("table1-baseline", "table1-oversampling") for seed in (0, 1)]
    extra = made_up("table1-baseline", BASE[:2], seed=2)  # a seed that some folds alone have counts for none
    line = ledger_of(*runs, extra).set_index(["name", "corpus"]).loc[("oversampling-ua", "Emo-DB")]
    assert line["seeds"] == 2 and line["basis"].startswith("10 speakers")
    shown = findings.by_claim(ledger_of(*runs, extra))
    of_claim = shown["Claim"].astype(str).str.contains("Oversampling raises UA")
    assert "(10 speakers × 2 seeds" in str(shown.loc[of_claim, "Emo-DB"].iloc[0])
    assert (ledger_of()["seeds"] == 0).all()


def test_a_test_that_looks_at_one_seed_says_one_however_many_were_run():
    evidence = evidence_of(*(made_up("table1-baseline", BASE, seed) for seed in (0, 1, 2)))
    measured = pd.DataFrame(
        [("emodb", "table1-baseline", fold, 0, size, size / 100) for fold in range(1, 11) for size in (16, 64)],
        columns=["corpus", "experiment", "fold", "seed", "batch_size", "cosine"],
    )
    ledger = findings.ledger(dataclasses.replace(evidence, variety=measured)).set_index(["name", "corpus"])
    assert ledger.loc[("batch-variety", "Emo-DB"), ["verdict", "seeds"]].tolist() == [verdicts.HOLDS, 1]


def test_runs_that_diverged_are_counted_beside_the_verdict_on_those_that_did_not():
    runs = (
        made_up("table1-baseline", BASE),
        made_up("pooling-max", shifted([-4, -3, -5, -4, -4, -3, -5, -4, -4, -4])[:6]),
    )
    failures = pd.DataFrame(
        [
            ("emodb", "pooling-max", 7),
            ("emodb", "pooling-max", 8),
            ("nemo", "pooling-max", 1),
            ("emodb", "depth-1x1", 1),
        ],
        columns=["corpus", "experiment", "fold"],
    )
    evidence = evidence_of(*runs)
    evidence = dataclasses.replace(evidence, results=dataclasses.replace(evidence.results, failures=failures))
    line = findings.ledger(evidence, [named("pooling-ua")]).set_index("corpus").loc["Emo-DB"]
    assert line["verdict"] == verdicts.HOLDS
    assert line["basis"] == "6 speakers; 2 runs left out that diverged"
