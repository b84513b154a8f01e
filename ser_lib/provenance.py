"""Where numbers come from: which runs, by which code, on which hardware, and whether another machine agrees."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from ser_lib.corpora import TITLES
from ser_lib.experiments import FAMILIES, members
from ser_lib.scoring import MINIMUM_FOLDS, RUN, in_common, paired_difference, tests_one_speaker
from ser_lib.wording import CORPORA, LICENCE, NOT_RUN, counted, points_with_interval


def behind(runs: pd.DataFrame, *names: str, corpora: Iterable[str] = CORPORA) -> str:
    """One line on the runs behind a table or figure: how many, of how many speakers and seeds, which code and hardware.

    Args:
        runs: every run, with ``corpus, experiment, fold, seed, code`` and ``hardware``; rows of one run count once.
        names: experiments, or families of them, that the table shows; without any, all that are in ``runs``.
        corpora: those that it shows, and no others; IEMOCAP is named once it was run.

    Returns:
        Such as "Emo-DB: 40 runs (4 experiments × 10 speakers × 1 seed). RAVDESS, nEMO: not run yet. Code 94ff327e532e;
        AMD EPYC, 2 cores." Where experiments have not as many speakers, or these not as many seeds: "2 to 3 seeds".

    Raises:
        SerError: a name is unknown.
    """
    wanted = {member for name in names for member in members(name)} or set(runs["experiment"])
    shown = list(corpora)
    part = runs[runs["experiment"].isin(wanted) & runs["corpus"].isin(shown)].drop_duplicates(RUN)
    found = [corpus for corpus in shown if corpus in set(part["corpus"])]
    missing = [TITLES[corpus] for corpus in shown if corpus not in found and corpus != "iemocap"]
    sentences = [f"{TITLES[corpus]}: {_extent(part[part['corpus'] == corpus], len(wanted))}" for corpus in found]
    sentences += [f"{', '.join(missing)}: {NOT_RUN}"] if missing else []
    if not sentences:
        sentences = [f"{TITLES['iemocap']}: {LICENCE}"]
    if "notes" in part and len(departing := part[part["notes"].fillna("") != ""]):
        sentences.append(f"Not the paper's selection: {_listed(departing['notes'], '; ')}".rstrip("."))
    if found:
        sentences.append(f"Code {_listed(part['code'], ', ')}; {_listed(part['hardware'], '; ')}")
    return ". ".join(sentences) + "."


def corpora_with(runs: pd.DataFrame, *names: str) -> list[str]:
    """The corpora on which some of these experiments were run, in the order of the pages.

    Args:
        runs: every run, with ``corpus`` and ``experiment``.
        names: experiments, or families of them, of which only those count that it compares with another.

    Returns:
        Their names; where there is none, the first corpus, of which a page can then say that it was not run.

    Raises:
        SerError: a name is unknown.
    """
    wanted = set()
    for name in names:
        wanted |= set(FAMILIES[name].references if name in FAMILIES else members(name))
    found = set(runs.loc[runs["experiment"].isin(wanted), "corpus"])
    return [corpus for corpus in CORPORA if corpus in found] or [CORPORA[0]]


def across_hardware(runs: pd.DataFrame, references: Mapping[str, str]) -> str:
    """How many of the pairs behind some differences are of runs on unlike hardware: a sentence, or nothing if none.

    Args:
        runs: every run, with ``corpus, experiment, fold, seed, test_speaker`` and ``hardware``.
        references: experiment -> the one that it is compared with.
    """
    counts = [
        on_unlike_hardware(runs, corpus, pair) for corpus in runs["corpus"].unique() for pair in references.items()
    ]
    unlike, total = sum(unlike for unlike, _ in counts), sum(total for _, total in counts)
    return f" Of {counted(total, 'pair')}, {unlike} are of runs on unlike hardware." if unlike else ""


def on_unlike_hardware(runs: pd.DataFrame, corpus: str, experiments: Sequence[str]) -> tuple[int, int]:
    """How many folds and seeds that some experiments share were not all run on the same hardware, and of how many.

    Args:
        runs: as for :func:`across_hardware`.
        corpus: whose runs.
        experiments: those that are compared with each other.
    """
    parts = [part["hardware"] for part in in_common(runs, corpus, experiments)]
    return int((pd.concat(parts, axis=1).nunique(axis=1) > 1).sum()), len(parts[0])


def _extent(runs: pd.DataFrame, wanted: int) -> str:
    """How many runs of one corpus: 40 runs (4 experiments × 10 speakers × 1 seed)."""
    experiments = runs["experiment"].nunique()
    of = f"{experiments} of {counted(wanted, 'experiment')}" if experiments < wanted else counted(wanted, "experiment")
    of = "" if wanted == 1 else f"{of} × "
    fold = "speaker" if runs["experiment"].map(tests_one_speaker).all() else "fold"
    folds = _counted_range(runs.groupby("experiment")["fold"].nunique(), fold)
    seeds = _counted_range(runs.groupby(["experiment", "fold"])["seed"].nunique(), "seed")
    return f"{counted(len(runs), 'run')} ({of}{folds} × {seeds})"


def _counted_range(numbers: pd.Series, noun: str) -> str:
    """8 to 24 speakers; or 24 speakers, where all are as many."""
    least, most = numbers.min(), numbers.max()
    return counted(most, noun) if least == most else f"{least} to {counted(most, noun)}"


def _listed(values: pd.Series, separator: str, most: int = 3) -> str:
    """The distinct values in order, as many as are read at a glance."""
    distinct = sorted(values.dropna().astype(str).unique())
    more = [f"{len(distinct) - most} more"] if len(distinct) > most else []
    return separator.join([*distinct[:most], *more])


def run_summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Where the runs of each corpus and experiment come from: how many, code, hardware, PyTorch, time, memory."""
    rows = []
    order = runs["corpus"].map({corpus: place for place, corpus in enumerate(TITLES)})
    for (_, experiment), part in runs.groupby([order, "experiment"], sort=True):
        rows.append(
            {
                "Corpus": TITLES[part["corpus"].iloc[0]],
                "Experiment": experiment,
                "Configuration": ", ".join(sorted(part["configuration"].unique())),
                "Runs": len(part),
                "Seeds": part["seed"].nunique(),
                "Code": ", ".join(sorted(part["code"].unique())),
                "Hardware": ", ".join(sorted(part["hardware"].unique())),
                "PyTorch": ", ".join(sorted(part["torch"].astype(str).unique())),
                "Median seconds": f"{part['seconds'].median():.0f}",
                "Peak MiB": f"{part['peak_memory_mib'].max():.0f}",
            }
        )
    return pd.DataFrame(rows)


def repeats_shown(repeats: pd.DataFrame) -> pd.DataFrame:
    """Collected runs that were made again, and what came out; from :func:`ser_lib.collection.load_repeats`."""
    by = "{}, {}, {}, torch {}".format
    rows = [
        {
            "Corpus": TITLES[row.corpus],
            "Experiment": row.experiment,
            "Fold": row.fold,
            "Seed": row.seed,
            "Collected from": by(row.code_before, row.hardware_before, row.device_before, row.torch_before),
            "Made again by": by(row.code, row.hardware, row.device, row.torch),
            "Same digits": "yes" if row.same else "no",
            "Best epoch": row.best_epoch if row.same else f"{row.best_epoch_before}, then {row.best_epoch}",
            "Other predictions": f"{row.other_predictions} of {row.utterances}",
            "Largest difference of a probability": f"{row.largest_difference:.2g}",
        }
        for row in repeats.itertuples()
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Made again": [NOT_RUN]})


def agreement(repeats: pd.DataFrame) -> pd.DataFrame:
    """How far scores are from those collected where runs were made again on other hardware.

    Args:
        repeats: as :func:`ser_lib.collection.load_repeats` returns them.

    Returns:
        One row per corpus, experiment, hardware before and hardware after, each with its PyTorch: runs and folds, the
        share of test utterances with the same prediction, mean UA of both and the difference in percentage points, with
        a 95 % interval over folds from `MINIMUM_FOLDS` on, and its standard deviation between folds. Repetitions on the
        same hardware are left out, and those whose accuracies were not kept.
    """
    rows = []
    kinds = ["corpus", "experiment", "hardware_before", "torch_before", "hardware", "torch"]
    for of, part in elsewhere(repeats).groupby(kinds, sort=False):
        corpus, experiment, before, torch_before, after, torch_after = of
        by_fold = part.groupby("fold")[["ua_before", "ua"]].mean()
        points = 100 * (by_fold["ua"] - by_fold["ua_before"]).to_numpy()
        same = 1 - part["other_predictions"].sum() / part["utterances"].sum()
        rows.append(
            {
                "Corpus": TITLES[corpus],
                "Experiment": experiment,
                "Collected on": f"{before}, torch {torch_before}",
                "Made again on": f"{after}, torch {torch_after}",
                "Runs": len(part),
                "Folds": len(by_fold),
                "Same prediction (%)": f"{100 * same:.1f}",
                "UA before (%)": f"{100 * by_fold['ua_before'].mean():.1f}",
                "UA again (%)": f"{100 * by_fold['ua'].mean():.1f}",
                "Difference": points_with_interval(points),
                "sd of folds": f"{points.std(ddof=1):.1f}" if len(points) > 1 else "–",
            }
        )
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Made again on": [NOT_RUN]})


def compared_again(scored: pd.DataFrame, repeats: pd.DataFrame) -> pd.DataFrame:
    """Differences of UA as collected, and with the runs that were made again on other hardware in their place.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        repeats: as :func:`ser_lib.collection.repeats_of` returns them.

    Returns:
        One row per corpus, experiment with runs made again on `MINIMUM_FOLDS` folds or more, hardware, and what a
        family compares it with: how many of its runs in the difference were made again, and both differences in
        percentage points, with 95 % intervals over folds.
    """
    pairs = dict.fromkeys(pair for family in FAMILIES.values() for pair in family.references.items())
    rows = []
    for (corpus, experiment, hardware), part in elsewhere(repeats).groupby(["corpus", "experiment", "hardware"]):
        if part["fold"].nunique() < MINIMUM_FOLDS:
            continue
        again, of_part = made_again(scored, part), pd.MultiIndex.from_frame(part[["fold", "seed"]])
        for reference in (other for name, other in pairs if name == experiment):
            runs = in_common(scored, corpus, [experiment, reference])[0].index
            if runs.empty:
                continue
            both = (paired_difference(of, corpus, experiment, reference, "ua") for of in (scored, again))
            before, after = (points_with_interval(100 * points) for points in both)
            rows.append(
                {
                    "Corpus": TITLES[corpus],
                    "Experiment": experiment,
                    "Compared with": reference,
                    "Made again on": hardware,
                    "Runs made again": f"{runs.isin(of_part).sum()} of {len(runs)}",
                    "Difference as collected": before,
                    "Difference again": after,
                }
            )
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Made again on": [NOT_RUN]})


def made_again(scored: pd.DataFrame, repeats: pd.DataFrame) -> pd.DataFrame:
    """Scores with those of the runs that were made again on other hardware in place of the collected ones.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        repeats: as :func:`ser_lib.collection.repeats_of` returns them.

    Returns:
        As ``scored``, with other ``wa`` and ``ua``; the counts behind them are those collected.
    """
    again = scored.set_index(RUN)
    again.update(elsewhere(repeats).drop_duplicates(RUN, keep="last").set_index(RUN)[["wa", "ua"]])
    return again.reset_index()


def elsewhere(repeats: pd.DataFrame) -> pd.DataFrame:
    """Runs made again on other hardware whose accuracies were kept; one on each kind of it, by whichever code."""
    other = repeats[(repeats["hardware"] != repeats["hardware_before"]) & repeats["ua"].notna()]
    return other.drop_duplicates([*RUN, "hardware", "torch"], keep="last")
