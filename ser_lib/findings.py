"""What was found on every statement of the paper: the ledger, and how pages show it.

The statements and their tests are in :mod:`ser_lib.claims`; nothing here decides anything.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ser_lib import pages, provenance, scoring, wording
from ser_lib.claims import BEFORE, MEASURED, REVISED, STATEMENTS, TESTED_AS_UA
from ser_lib.corpora import TITLES
from ser_lib.errors import SerError
from ser_lib.statements import CORPORA, OF_SCORES, Difference, Evidence, Measured, Printed, Statement, Untestable
from ser_lib.verdicts import FAILS, HOLDS, LEVEL, NOT_RUN, NOT_TESTABLE, UNDECIDED, Verdict

CSS = {HOLDS: "verdict holds", FAILS: "verdict fails", UNDECIDED: "verdict undecided",
       NOT_TESTABLE: "verdict untestable", NOT_RUN: "verdict missing"}  # fmt: skip


def ledger(evidence: Evidence, statements: Iterable[Statement] | None = None) -> pd.DataFrame:
    """Statements on every corpus that they can be tested on, each with its verdict.

    A difference of scores is judged once more, with all the seeds that either side has, and not with those that both
    share. Such a difference is of the same size on average, and varies less from run to run. No verdict is taken from
    it: the tests pair by seed, and were fixed before it was known what either way gives. And it is judged with the
    runs that were made again on other hardware in place of those collected, where there are some.

    Args:
        evidence: what the records hold.
        statements: all of them by default.

    Returns:
        One row per statement and corpus: ``name, place, words, claim, corpus, effect, basis, seeds, verdict,
        effect_every, verdict_every, effect_again, verdict_again, test, fixed, why, chapter`` and ``command``, which
        runs the test where it has not been run; seeds are those that every fold has, 0 where there are none; those of
        every seed are empty but for differences of scores that were run, and those again where no run of theirs was
        made again; ``fixed`` says when the test was, and ``why`` it was changed since, see
        :data:`ser_lib.claims.REVISED`.
    """
    averaged = replace(evidence, scored=scoring.over_seeds(evidence.scored))
    again = replace(evidence, scored=provenance.made_again(evidence.scored, evidence.repeats))
    rows = []
    for claim in STATEMENTS if statements is None else statements:
        if isinstance(claim, Printed):
            agree, finding = claim.check()
            rows.append(_row(claim, OWN_NUMBERS, Verdict(HOLDS if agree else FAILS, finding, "the paper")))
        elif isinstance(claim, Untestable):
            rows.append(_row(claim, NO_CORPUS, Verdict(NOT_TESTABLE, "–", claim.reason)))
        else:
            rows += [_judged(claim, corpus, evidence, averaged, again) for corpus in claim.corpora]
    return pd.DataFrame(rows)


def _judged(
    claim: Measured, corpus: str, evidence: Evidence, averaged: Evidence, again: Evidence
) -> dict[str, str | int]:
    """The row of a statement on one corpus.

    Args:
        claim, corpus: what is judged, and where.
        evidence: what the records hold.
        averaged: the same with the seeds of a speaker as one run.
        again: the same with the runs that were made again on other hardware.
    """
    verdict = claim.judge(evidence, corpus)
    if verdict.outcome == NOT_RUN:
        if corpus == "iemocap" and not evidence.holds(corpus):
            verdict = Verdict(NOT_TESTABLE, "–", "needs an IEMOCAP licence")
        return _row(claim, TITLES[corpus], verdict, command=claim.command(corpus))
    verdict = _saying_what_diverged(verdict, evidence, corpus, claim.experiments)
    verdict = _saying_what_is_unlike(verdict, evidence, corpus, claim.together)
    seeds = evidence.seeds(corpus, claim.together)
    others = {}
    if isinstance(claim, OF_SCORES):
        others["every"] = claim.judge(averaged, corpus)
        made = provenance.elsewhere(evidence.repeats)
        if made.loc[made["corpus"] == corpus, "experiment"].isin(claim.experiments).any():
            others["again"] = claim.judge(again, corpus)
    return _row(claim, TITLES[corpus], verdict, min(seeds, 1) if claim.one_seed else seeds, others)


def _saying_what_diverged(verdict: Verdict, evidence: Evidence, corpus: str, experiments: Collection[str]) -> Verdict:
    """A verdict whose basis says how many runs diverged: what is left is no sample of all speakers."""
    failures = evidence.results.failures
    count = int(((failures["corpus"] == corpus) & failures["experiment"].isin(experiments)).sum())
    if not count:
        return verdict
    return replace(verdict, basis=f"{verdict.basis}; {wording.counted(count, 'run')} left out that diverged")


def _saying_what_is_unlike(
    verdict: Verdict, evidence: Evidence, corpus: str, groups: Iterable[Sequence[str]]
) -> Verdict:
    """A verdict that decides, and whose basis says how much of it compares runs on unlike hardware."""
    if verdict.outcome not in (HOLDS, FAILS):
        return verdict
    counts = [provenance.on_unlike_hardware(evidence.results.runs, corpus, group) for group in groups]
    unlike, compared = sum(unlike for unlike, _ in counts), sum(compared for _, compared in counts)
    if not unlike:
        return verdict
    return replace(verdict, basis=f"{verdict.basis}; {unlike} of {compared} compared on unlike hardware")


_NOTHING = (NOT_RUN, NOT_TESTABLE)
OWN_NUMBERS = "the printed numbers"
NO_CORPUS = "–"


def shown(evidence: Evidence, *names: str) -> pages.Shown:
    """What the runs say on some claims, for the end of a chapter: a line per claim, a column per corpus.

    A corpus on which none of them can be tested here has no column.

    Args:
        evidence: what the records hold.
        names: how the names of these claims begin.

    Raises:
        SerError: a name fits no claim that runs decide.
    """
    for name in names:
        if not any(claim.name.startswith(name) for claim in MEASURED):
            raise SerError(f"no claim's name begins with {name!r}")
    lines = _lines(ledger(evidence, [claim for claim in MEASURED if claim.name.startswith(names)]), _finding)
    return pages.Shown(_tested_here(lines).reset_index(drop=True), "What our runs say, by corpus")


def in_short(ledger: pd.DataFrame) -> pd.DataFrame:
    """How many statements came out how: ``Asked of`` (a corpus, the printed numbers), and a column per outcome."""
    asked = [*(TITLES[corpus] for corpus in CORPORA), OWN_NUMBERS, NO_CORPUS]
    counts = pd.crosstab(ledger["corpus"], ledger["verdict"]).reindex(asked, columns=list(CSS), fill_value=0)
    counts = counts.rename(index={NO_CORPUS: "nothing at hand"}).rename_axis(index="Asked of", columns=None)
    return counts.reset_index()


def by_chapter(ledger: pd.DataFrame) -> pd.DataFrame:
    """What runs decide, chapter by chapter: ``Of`` (a link), and a column per corpus that was run, with its verdicts.

    Args:
        ledger: as :func:`ledger` returns it.
    """
    measured = ledger[ledger["corpus"].isin(TITLES.values()) & ~ledger["verdict"].isin(_NOTHING)]
    titles = [TITLES[corpus] for corpus in CORPORA if TITLES[corpus] in set(measured["corpus"])]
    rows = [
        {"Of": pages.Cell(_TOPICS[chapter], href=f"{chapter}.html")}
        | {title: _counted(part.loc[part["corpus"] == title, "verdict"]) for title in titles}
        for chapter, part in measured.groupby("chapter", sort=False)
    ]
    return pd.DataFrame(rows)


def _counted(verdicts: pd.Series) -> str:
    """2 hold, 1 does not, 5 undecided."""
    holds, fails, undecided = ((verdicts == outcome).sum() for outcome in (HOLDS, FAILS, UNDECIDED))
    words = [f"{holds} hold{'s' if holds == 1 else ''}"] if holds else []
    words += [f"{fails} do{'es' if fails == 1 else ''} not"] if fails else []
    return ", ".join([*words, f"{undecided} undecided"] if undecided else words) or NOT_RUN


def how_decided(ledger: pd.DataFrame) -> str:
    """What to hold against the verdicts of runs as a whole: when their tests were fixed, and what chance decides.

    Args:
        ledger: as :func:`ledger` returns it.
    """
    of_runs = ledger[ledger["corpus"].isin(TITLES.values()) & ~ledger["verdict"].isin(_NOTHING)]
    decided = of_runs[of_runs["verdict"].isin((HOLDS, FAILS))]
    when = decided["fixed"].value_counts()
    changed = ", ".join(f"{when[kind]} {words}" for kind, words in _CHANGES.items() if kind in when)
    plain = {claim.name for claim in MEASURED if isinstance(claim, Difference) and not claim.margin}
    differences = of_runs[of_runs["name"].isin(plain)]
    found = differences["verdict"].isin((HOLDS, FAILS)).sum()
    return (
        f"Of {len(of_runs)} lines that runs were made for, {len(decided)} are decided: {when.get(BEFORE, 0)} by tests "
        f"that stand as they were fixed before these runs were read{'; ' if changed else ''}{changed}. "
        f"{len(differences)} of the lines test a plain difference of scores at {100 * (1 - LEVEL):.0f} %: were there "
        f"no differences at all, {(1 - LEVEL) * len(differences):.1f} of them would be decided by chance; {found} are."
    )


_TOPICS = {
    "tables": "the steps of Table 1, and the speakers of Table 2",
    "spectrograms": "lengths of utterances",
    "ablations": "strategies of VTLP, pooling, normalisation by eq. 2",
    "recurrent_batch_normalisation": "recurrent batch normalisation (Table 3)",
    "gradients": "gradients, pace and batch size (Section 3.1)",
    "optimizer": "η, γ and β by module (Section 3.1)",
    "depth": "depth",
}
"""Chapters with statements that runs decide -> what of."""

_CHANGES = {
    "after: stricter": "by tests that were made stricter afterwards",
    "after: looser": "by tests that were made looser",
    "after: another": "by tests that were made others",
    "after: added": "by tests that were added",
}


def decided(ledger: pd.DataFrame) -> pd.DataFrame:
    """The statements on which the runs of some corpus decide: ``Claim``, a column per corpus, and ``Test fixed``.

    A corpus on which none of them can be tested here has no column.

    Args:
        ledger: as :func:`ledger` returns it.
    """
    names = ledger.loc[ledger["verdict"].isin((HOLDS, FAILS)), "name"]
    lines = _tested_here(_lines(ledger[ledger["name"].isin(names)], _marked))
    fixed = ledger.drop_duplicates("name").set_index("name")["fixed"]
    return lines.assign(**{"Test fixed": fixed}).reset_index(drop=True)


def _marked(row: pd.Series) -> pages.Cell:
    """A verdict, and what it would be with every seed or with runs made again, where that is another."""
    return pages.Cell(row["verdict"], css=CSS[row["verdict"]], note="; ".join(_otherwise(row)))


_OTHER_EVIDENCE = {"every": "with every seed", "again": "with runs made again"}
"""Other evidence that a difference of scores is judged by, as columns of the ledger name it -> in words."""


def _otherwise(row: pd.Series) -> list[str]:
    """Verdicts that other evidence would give, where these are others: undecided with every seed."""
    others = {words: row[f"verdict_{kind}"] for kind, words in _OTHER_EVIDENCE.items()}
    return [f"{outcome} {words}" for words, outcome in others.items() if outcome not in ("", row["verdict"])]


def by_claim(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger as the first page shows it: a line per statement that runs decide, a column per corpus.

    Returns:
        ``Claim`` (a link to its chapter), a column per corpus (verdict and effect), and ``Test`` (a link to the test).
    """
    lines = _lines(ledger, _finding)
    return lines.assign(Test=[pages.Cell("test", href=f"#test-{name}") for name in lines.index]).reset_index(drop=True)


def _tested_here(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines without the corpora on which none of them can be tested."""
    return lines.loc[:, (~lines.map(str).isin((NOT_TESTABLE, NO_CORPUS))).any()]


def _lines(ledger: pd.DataFrame, cell: Callable[[pd.Series], pages.Cell]) -> pd.DataFrame:
    """A line per statement that runs decide, by its name: ``Claim`` with a link, and what ``cell`` says per corpus."""
    measured = ledger[ledger["corpus"].isin(TITLES.values())]
    titles = [TITLES[corpus] for corpus in CORPORA]
    rows = {}
    for name, part in measured.groupby("name", sort=False):
        found = part.set_index("corpus", drop=False)
        claim = pages.Cell(part["claim"].iloc[0], href=f"{part['chapter'].iloc[0]}.html")
        cells = [cell(found.loc[title]) if title in found.index else pages.Cell("–") for title in titles]
        rows[name] = [claim, *cells]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["Claim", *titles])


def by_number(ledger: pd.DataFrame) -> pd.DataFrame:
    """The statements that no run decides: ``Claim``, ``Verdict``, ``Found`` and ``Test``, with links."""
    other = ledger[~ledger["corpus"].isin(TITLES.values())]
    return pd.DataFrame(
        [
            {
                "Claim": pages.Cell(row.claim, href=f"{row.chapter}.html"),
                "Verdict": pages.Cell(row.verdict, css=CSS[row.verdict]),
                "Found": row.effect if row.verdict != NOT_TESTABLE else row.basis,
                "Test": pages.Cell("test", href=f"#test-{row.name}"),
            }
            for row in other.itertuples(index=False)
        ]
    )


def tests(ledger: pd.DataFrame) -> pd.DataFrame:
    """What the paper says, how it is tested, since when, and what runs the test.

    Returns:
        ``Claim``, ``The paper`` (its words, and where they stand), ``Test``, with the command that runs it on IEMOCAP
        where that has not been done, and ``Fixed`` (see :data:`ser_lib.claims.REVISED`).
    """
    rows = []
    for name, part in ledger.groupby("name", sort=False):
        of_iemocap = part.loc[part["corpus"] == TITLES["iemocap"], "command"]
        command = next((f"On IEMOCAP: `{text}`" for text in of_iemocap if text), "")
        first = part.iloc[0]
        rows.append(
            {
                "Claim": pages.Cell(first["claim"], anchor=f"test-{name}"),
                "The paper": pages.Cell(f"“{first['words']}”", note=first["place"]),
                "Test": pages.Cell(first["test"], note=command),
                "Fixed": pages.Cell(first["fixed"], note=first["why"]),
            }
        )
    return pd.DataFrame(rows)


def decided_otherwise(evidence: Evidence) -> pages.Shown:
    """The verdicts that would be others with every seed, for a page.

    Args:
        evidence: what the records hold.
    """
    caption = "Verdicts that would change if both sides of a difference counted with every seed"
    return _by_other_evidence(evidence, "every", ("Paired by seed", "Every seed"), caption, "on differences of scores")


def decided_again(evidence: Evidence) -> pages.Shown:
    """The verdicts that would be others with the runs that were made again on other hardware, for a page.

    Args:
        evidence: what the records hold.
    """
    caption = "Verdicts that would change with the runs that were made again on other hardware"
    of = "on differences of scores of which runs were made again"
    return _by_other_evidence(evidence, "again", ("As collected", "With runs made again"), caption, of)


def _by_other_evidence(evidence: Evidence, kind: str, names: tuple[str, str], caption: str, of: str) -> pages.Shown:
    """The verdicts that are others by other evidence, in two columns of these names; ``of`` says which were judged."""
    table = ledger(evidence, [claim for claim in MEASURED if isinstance(claim, OF_SCORES)])
    table = table[table[f"verdict_{kind}"] != ""]
    unlike = (table["effect"] != table[f"effect_{kind}"]).sum()
    others = table[table["verdict"] != table[f"verdict_{kind}"]]
    return pages.Shown(
        _in_two_ways(others, names[0], (f"verdict_{kind}", f"effect_{kind}"), names[1]),
        caption,
        source=f"Of {wording.counted(len(table), 'verdict')} {of}, {unlike} have another effect then, and "
        f"{len(others)} another verdict.",
    )


def decided_by_wa(evidence: Evidence) -> pages.Shown:
    """The verdicts that would be others if the performance were WA, for a page.

    Where the paper speaks of the performance and prints no numbers, it is tested as UA, on which the paper says that
    it concentrated (Section 3).

    Args:
        evidence: what the records hold.
    """
    by_ua = [claim for claim in MEASURED if TESTED_AS_UA in claim.statement]
    table = ledger(evidence, by_ua)
    by_wa = ledger(evidence, [replace(claim, metric="wa") for claim in by_ua])
    table = table.assign(verdict_wa=by_wa["verdict"], effect_wa=by_wa["effect"])
    table = table[~table["verdict"].isin(_NOTHING)]
    others = table[table["verdict"] != table["verdict_wa"]]
    return pages.Shown(
        _in_two_ways(others, "By UA", ("verdict_wa", "effect_wa"), "By WA"),
        "Verdicts that would change if the performance were weighted accuracy",
        source=f"Of {wording.counted(len(table), 'verdict')} on the performance, tested as UA, {len(others)} would be "
        "others.",
    )


def _in_two_ways(lines: pd.DataFrame, first: str, columns: tuple[str, str], second: str) -> pd.DataFrame:
    """Lines of a ledger whose verdict is another in another way: both, each with its effect.

    Args:
        lines: as :func:`ledger` returns them, with the two ``columns`` that hold the other verdict and its effect.
        first: what the verdict of the ledger is called.
        columns: those of the other verdict, and of its effect.
        second: what the other verdict is called.
    """
    rows = [
        {
            "Claim": pages.Cell(row["claim"], href=f"{row['chapter']}.html"),
            "Corpus": row["corpus"],
            first: pages.Cell(row["verdict"], css=CSS[row["verdict"]], note=row["effect"]),
            second: pages.Cell(row[columns[0]], css=CSS[row[columns[0]]], note=row[columns[1]]),
        }
        for _, row in lines.iterrows()
    ]
    return pd.DataFrame(rows, columns=["Claim", "Corpus", first, second])


def _finding(row: pd.Series) -> pages.Cell:
    """Verdict, effect and what it rests on, in one cell."""
    outcome = row["verdict"]
    note = "" if outcome in _NOTHING else f"{row['effect']} ({_basis(row)})"
    return pages.Cell(outcome, css=CSS[outcome], note="; ".join([note, *_otherwise(row)]))


def _basis(row: pd.Series) -> str:
    """What a finding rests on: each speaker with its seeds; of predictions, the seeds behind them."""
    if not row["seeds"]:
        return row["basis"]
    seeds = wording.counted(row["seeds"], "seed")
    per_speaker = re.sub(r"speakers?", rf"\g<0> × {seeds}", row["basis"], count=1)
    return per_speaker if per_speaker != row["basis"] else f"{row['basis']}; {seeds}"


def _row(
    claim: Statement,
    corpus: str,
    verdict: Verdict,
    seeds: int = 0,
    others: Mapping[str, Verdict] | None = None,
    command: str = "",
) -> dict[str, str | int]:
    """A row of the ledger; ``others`` are the verdicts by other evidence, by the names of :data:`_OTHER_EVIDENCE`."""
    fixed, why = REVISED.get(claim.name, (BEFORE, ""))
    found = {kind: others[kind] if others and kind in others else Verdict("", "", "") for kind in _OTHER_EVIDENCE}
    return {
        "name": claim.name,
        "place": claim.passage.place,
        "words": claim.passage.words,
        "claim": claim.statement,
        "corpus": corpus,
        "effect": verdict.effect,
        "basis": verdict.basis,
        "seeds": seeds,
        "verdict": verdict.outcome,
        **{f"effect_{kind}": other.effect for kind, other in found.items()},
        **{f"verdict_{kind}": other.outcome for kind, other in found.items()},
        "test": claim.test,
        "fixed": fixed,
        "why": why,
        "chapter": claim.chapter,
        "command": command,
    }
