"""What the protocol is worth: others beside it, the choice of the epoch, and networks on other corpora."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ser_lib import paper, transfer
from ser_lib.corpora import TITLES
from ser_lib.experiments import EXPERIMENTS
from ser_lib.protocols import folds_of
from ser_lib.scoring import (
    RUN,
    accuracies,
    balanced,
    of_experiment,
    of_shared_seeds,
    share_speakers,
    summary,
    supported_interval,
)
from ser_lib.tables.cells import refuse_other_corpus, score_cell
from ser_lib.wording import CORPORA, absence, counted, percent, points_with_interval, unmeasured, with_interval

PROTOCOLS = {
    "table1-baseline": "the paper's: one speaker tests, the partner validates",
    "normalisation-training": "the same, but eq. 2 from the training part alone",
    "protocol-test-validates": "the same, but the test speaker chooses the epoch",
    "protocol-mixed-pair": "the speakers of a session are taken for one another",
    "protocol-sessions": "both speakers of a session test",
    "protocol-utterances": "parts of the utterances, whoever spoke them",
}
"""The experiments of the family `protocol`, and how tables and figures name what each does."""


def protocol_folds(utterances: pd.DataFrame) -> pd.DataFrame:
    """How each protocol divides a corpus.

    Args:
        utterances: the corpus's table, with ``utterance, speaker, gender, session`` and ``emotion``.

    Returns:
        One row per protocol: its experiment, the number of folds, the utterances that train, validate and test (from
        the smallest fold to the largest), and the share of tested utterances whose speaker trains, or validates, in the
        same fold, in per cent.
    """
    speakers, rows = utterances["speaker"].to_numpy(), []
    for experiment, words in PROTOCOLS.items():
        made = folds_of(utterances, EXPERIMENTS[experiment].protocol)
        row = {"Protocol": words, "Folds": len(made)}
        for name, part in (("Train", "train"), ("Validate", "validation"), ("Test", "test")):
            sizes = sorted({len(getattr(fold, part)) for fold in made})
            row[name] = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        for name, part in (("Speaker trains", "train"), ("Speaker validates", "validation")):
            known = sum(np.isin(speakers[fold.test], speakers[getattr(fold, part)]).sum() for fold in made)
            row[f"{name} (% of tests)"] = f"{100 * known / len(utterances):.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def protocol_table(scored: pd.DataFrame, runs: pd.DataFrame, failures: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """The scores of speakers under each protocol, on one corpus.

    Args:
        scored: as :func:`ser_lib.scoring.speaker_scores` returns them.
        runs: every run, with ``corpus, experiment, fold`` and ``seed``.
        failures: runs whose loss did not stay finite.
        corpus: whose runs to show.

    Returns:
        One row per experiment of `PROTOCOLS`: what it does, its name, the runs behind the row, ``Speakers × seeds``,
        and UA and WA in per cent, means over speakers with 95 % interval from `MINIMUM_FOLDS` speakers on. Seeds are
        those that all protocols have (:func:`of_shared_seeds`). Where runs are there but no speaker is tested whole
        yet, the row says so.

    Source: Section 3, first paragraph.
    """
    chosen = of_shared_seeds(scored[scored["corpus"] == corpus], PROTOCOLS)
    summarised = summary(chosen).set_index("experiment")
    rows = []
    for experiment, words in PROTOCOLS.items():
        row = {"Protocol": words, "Experiment": experiment}
        own = of_experiment(runs, corpus, experiment)
        if experiment in summarised.index:
            of = summarised.loc[experiment]
            seeds = balanced(of_experiment(chosen, corpus, experiment))["seed"].unique()
            row |= {
                "Runs": int(own["seed"].isin(seeds).sum()),
                "Speakers × seeds": f"{of['folds']} × {of['seeds']}",
                "UA (%)": with_interval(of["ua"], of["ua_low"], of["ua_high"]),
                "WA (%)": with_interval(of["wa"], of["wa_low"], of["wa_high"]),
            }
        else:
            words = "no speaker whole yet" if len(own) else absence(failures, corpus, experiment)
            row |= {"Runs": len(own), "Speakers × seeds": "–", "UA (%)": words, "WA (%)": words}
        rows.append(row)
    return pd.DataFrame(rows)


def chosen_against_tested(scored: pd.DataFrame, validation: pd.DataFrame, failures: pd.DataFrame) -> pd.DataFrame:
    """The UA by which the epoch was chosen, beside the UA of the test part at that epoch, by corpus and protocol.

    Args:
        scored: of every run, as :func:`ser_lib.scoring.scores` returns them.
        validation: of the same runs, as :func:`ser_lib.scoring.validation_scores` returns them.
        failures: runs whose loss did not stay finite.

    Returns:
        One row per corpus that has a run and experiment of `PROTOCOLS`: runs (of the seeds that all of them have), both
        UA in per cent (means over folds, seeds averaged first), and the first less the second in points: of each
        speaker where every one of them validates once and tests once, or else of each fold; with 95 % interval from
        `MINIMUM_FOLDS` on, if no speaker is tested in two folds. A corpus without runs has one row that says so.

    Source: Section 3, first paragraph (the validation speaker; the paper prints no score of theirs).
    """
    columns = ["Corpus", "Protocol", "Runs", "UA, validation (%)", "UA, test (%)", "Difference (points)"]
    scored = of_shared_seeds(scored, PROTOCOLS)
    choosing = validation[[*RUN, "validation_speaker", "ua"]]
    both = scored.merge(choosing, on=RUN, suffixes=("", "_validation"), validate="one_to_one")
    rows = []
    for corpus in CORPORA:
        if corpus not in set(both["corpus"]):
            missing = absence(failures, corpus, "table1-baseline")
            rows.append(dict.fromkeys(columns, missing) | {"Corpus": TITLES[corpus], "Protocol": "all"})
            continue
        for experiment, words in PROTOCOLS.items():
            part = balanced(of_experiment(both, corpus, experiment))
            row = {"Corpus": TITLES[corpus], "Protocol": words, "Runs": len(part)}
            if part.empty:
                row |= dict.fromkeys(columns[3:], absence(failures, corpus, experiment))
            else:
                names = ["validation_speaker", "test_speaker"] if _validate_and_test_once(part) else ["fold", "fold"]
                chosen, tested = (
                    100 * part.groupby(name)[ua].mean() for name, ua in zip(names, ("ua_validation", "ua"), strict=True)
                )
                # Kept with six digits: what is the same must not differ by the last of them.
                points = (chosen - tested).round(3).to_numpy()
                apart = not share_speakers(part)
                row |= {
                    columns[3]: f"{chosen.mean():.1f}",
                    columns[4]: f"{tested.mean():.1f}",
                    columns[5]: points_with_interval(points) if apart else f"{points.mean():+.1f}",
                }
            rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _validate_and_test_once(runs: pd.DataFrame) -> bool:
    """Whether every speaker of some runs validates in one fold, and tests in one."""
    folds = runs.drop_duplicates("fold")
    validating, testing = (sorted(folds[name].astype(str)) for name in ("validation_speaker", "test_speaker"))
    return validating == testing and len(set(testing)) == len(testing)


def five_against_ten(scored: pd.DataFrame, corpora: Iterable[str]) -> pd.DataFrame:
    """One fold per session against one per speaker, and what the choice of a session's test speaker is worth.

    Args:
        scored: of every run, as :func:`ser_lib.scoring.scores` returns them.
        corpora: those to show beside the paper's Table 2.

    Returns:
        One row per way to average: UA in per cent, the paper's of Table 2 (its best model), and that of the baseline on
        each corpus. The three rows of chosen speakers are over all choices of one test speaker per session (footnote
        3): the lowest mean, the standard deviation over choices that are equally likely, and the highest mean.

    Source: Section 3, first paragraph, footnotes 1 and 3; Table 2.
    """
    pair = ("table1-baseline", "protocol-sessions")
    scored = of_shared_seeds(scored, pair)
    names = ["one fold per speaker", "one fold per session, both of its speakers test"]
    names += [f"one speaker per session tests, {of}" for of in ("lowest", "standard deviation", "highest")]
    table = {"Average": names}
    printed = paper.table2().set_index("fold")["ua"] / 100
    table["Paper, Table 2 (IEMOCAP)"] = _five_and_ten(printed, printed.iloc[:0], "not printed")
    for corpus in corpora:
        papers, sessions = (balanced(of_experiment(scored, corpus, name)).groupby("fold")["ua"].mean() for name in pair)
        table[f"Ours, {TITLES[corpus]}"] = _five_and_ten(papers, sessions, unmeasured(corpus))
    return pd.DataFrame(table)


def _five_and_ten(by_speaker: pd.Series, by_session: pd.Series, missing: str) -> list[str]:
    """UA by fold -> the cells of :func:`five_against_ten`.

    Args:
        by_speaker: of folds that each test a speaker, in [0, 1], indexed by their numbers: two of each session.
        by_session: of folds that each test a session; any of the two may be empty.
        missing: what to say then.
    """
    means = [
        f"{100 * ua.mean():.1f} ({counted(len(ua), 'fold')})" if len(ua) else missing for ua in (by_speaker, by_session)
    ]
    if by_speaker.empty:
        return [*means, missing, missing, missing]
    if len(by_speaker) % 2 or list(by_speaker.index) != list(range(1, len(by_speaker) + 1)):
        return [*means, *["not every speaker yet"] * 3]
    pairs = by_speaker.to_numpy().reshape(-1, 2)
    # A choice is a fair coin for each session: variances of half the differences add up.
    deviation = np.sqrt(np.square(np.diff(pairs) / 2).sum()) / len(pairs)
    return [*means, *(f"{100 * ua:.1f}" for ua in (pairs.min(axis=1).mean(), deviation, pairs.max(axis=1).mean()))]


def transfer_scores(counts: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of each target speaker, by networks that were trained on another corpus.

    Args:
        counts: as :func:`ser_lib.transfer.load` returns them.

    Returns:
        One row per source, experiment, target, normalisation and target speaker: those five, ``runs`` (of the source),
        and ``wa`` and ``ua`` in [0, 1], means over these runs.
    """
    keys = ["source", "experiment", "target", "normalisation", "speaker"]
    each = counts.loc[counts.index.repeat(counts["count"].astype(int))]
    by_run = accuracies(each, [*keys, "fold", "seed"])
    return by_run.groupby(keys).agg(runs=("ua", "size"), wa=("wa", "mean"), ua=("ua", "mean")).reset_index()


def transfer_table(
    counts: pd.DataFrame,
    scored: pd.DataFrame,
    failures: pd.DataFrame,
    runs: pd.DataFrame,
    experiment: str,
    metric: str = "ua",
) -> pd.DataFrame:
    """Networks of each corpus, tested on each corpus: a row per source and normalisation, a column per target.

    Args:
        counts: as :func:`ser_lib.transfer.load` returns them.
        scored: as :func:`ser_lib.scoring.scores` returns them, for the scores within a corpus.
        runs: those runs.
        experiment: whose networks.
        metric: ``wa`` or ``ua``.

    Returns:
        Per cent, mean over the target's speakers (the source's runs averaged first) with 95 % interval from
        `MINIMUM_FOLDS` speakers on. Where source and target are one corpus, the test score of its own runs, in which
        no speaker is tested by a network that knows the speaker.

    Raises:
        SerError: counts and runs are of different versions of a corpus.
    """
    for end in ("source", "target"):
        versions = counts[[end, f"{end}_fingerprint"]].set_axis(["corpus", "fingerprint"], axis="columns")
        other = {"source": "--source {} --corpus TARGET", "target": "--source SOURCE --corpus {}"}[end]
        refuse_other_corpus(versions, runs, "the counts of the transfer", f"transfer {other}")
    by_speaker = transfer_scores(counts[counts["experiment"] == experiment])
    within = summary(scored[scored["experiment"] == experiment]).set_index(["corpus", "experiment"])
    rows = []
    for source in CORPORA:
        for normalisation, words in transfer.NORMALISATIONS.items():
            row = {"Trained on": TITLES[source], "Statistics of eq. 2": words}
            for target in CORPORA:
                chosen = dict(source=source, target=target, normalisation=normalisation)
                part = by_speaker[np.logical_and.reduce([by_speaker[name] == value for name, value in chosen.items()])]
                if source == target:
                    cell = score_cell(within, scored, failures, source, experiment, metric)
                    cell = f"within: {cell}" if (source, experiment) in within.index else cell
                elif len(part):
                    cell = percent(part[metric].mean(), *supported_interval(part[metric]), len(part), "speaker")
                else:
                    cell = unmeasured("iemocap" if "iemocap" in (source, target) else target)
                row[f"Tested on {TITLES[target]}"] = cell
            rows.append(row)
    return pd.DataFrame(rows)
