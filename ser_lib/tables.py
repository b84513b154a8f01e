"""Tables of scores, computed from predictions; pure functions of tidy tables (Tables 1 and 2)."""

import html
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from ser_lib import metrics, paper, paths, records
from ser_lib.corpora import EMOTIONS, TITLES
from ser_lib.errors import SerError
from ser_lib.experiments import Experiment
from ser_lib.features import frame_counts

RUN = records.IDENTITY
OPEN_CORPORA = ("emodb", "ravdess", "nemo")
NOT_RUN = "not run yet"
LICENCE = "not run here"
"""IEMOCAP's columns, until an owner of the licence runs them."""


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """WA and UA of every run.

    Args:
        predictions: test predictions with ``corpus, experiment, fold, seed, speaker, truth, prediction``.

    Returns:
        One row per run: those four, ``test_speaker``, ``utterances``, ``correct``, and ``wa`` and ``ua`` in [0, 1].
    """
    rows = []
    for run, part in predictions.groupby(RUN, sort=True):
        speakers = part["speaker"].unique()
        if len(speakers) != 1:
            raise SerError(f"run {run} tests {len(speakers)} speakers: a fold tests one")
        rows.append(
            dict(zip(RUN, run, strict=True))
            | {
                "test_speaker": speakers[0],
                "utterances": len(part),
                "correct": int((part["truth"] == part["prediction"]).sum()),
                "wa": metrics.weighted_accuracy(part["truth"], part["prediction"]),
                "ua": metrics.unweighted_accuracy(part["truth"], part["prediction"], EMOTIONS),
            }
        )
    return pd.DataFrame(rows, columns=[*RUN, "test_speaker", "utterances", "correct", "wa", "ua"])


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval of a mean over speakers; NaN below two values.

    Args:
        values: one score per speaker, shape (speakers,).
        level: share of intervals that hold the true mean, if speakers were drawn at random.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:  # SciPy has no interval without spread
        return float(values[0]), float(values[0])
    low, high = stats.t.interval(level, len(values) - 1, loc=values.mean(), scale=stats.sem(values))
    return float(low), float(high)


def summary(scored: pd.DataFrame) -> pd.DataFrame:
    """Each experiment on each corpus: mean over folds with its interval, and the pooled WA.

    Seeds of a fold are averaged first: the speakers are the sample, the seeds are not.

    Returns:
        One row per corpus and experiment: ``folds``, ``seeds`` (the fewest of any fold), ``runs``, ``wa``, ``wa_low``,
        ``wa_high``, ``ua``, ``ua_low``, ``ua_high``, ``pooled_wa``.

    Source: Section 3 ("First, we compute the metrics for each fold and then present the scores as the average").
    """
    rows = []
    for (corpus, experiment), part in scored.groupby(["corpus", "experiment"], sort=True):
        by_fold = part.groupby("fold")[["wa", "ua"]].mean()
        row = {
            "corpus": corpus,
            "experiment": experiment,
            "folds": len(by_fold),
            "seeds": int(part.groupby("fold")["seed"].nunique().min()),
            "runs": len(part),
            "pooled_wa": part["correct"].sum() / part["utterances"].sum(),
        }
        for metric in ("wa", "ua"):
            low, high = interval(by_fold[metric])
            row |= {metric: by_fold[metric].mean(), f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    columns = ["corpus", "experiment", "folds", "seeds", "runs", "pooled_wa"]
    columns += [metric + end for metric in ("wa", "ua") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def paired_difference(scored: pd.DataFrame, corpus: str, experiment: str, reference: str, metric: str) -> np.ndarray:
    """What an experiment adds to a reference, speaker by speaker, over the folds and seeds that both have run.

    Returns:
        Differences in [-1, 1], seeds averaged, one per fold, shape (folds,); empty when they share no run.
    """
    of = scored[scored["corpus"] == corpus]
    sides = [of[of["experiment"] == name].set_index(["fold", "seed"])[metric] for name in (experiment, reference)]
    difference = (sides[0] - sides[1]).dropna()
    return difference.groupby("fold").mean().to_numpy()


def best_of_sessions(wa: np.ndarray, ua: np.ndarray) -> tuple[float, float]:
    """Table 2's "5 best folds": the mean over the fold of each session whose speaker has the higher UA.

    Args:
        wa, ua: scores by fold, in the order of the folds (two per session), shape (folds,).

    Returns:
        Mean WA and mean UA of the chosen folds.
    """
    wa, ua = np.reshape(wa, (-1, 2)), np.reshape(ua, (-1, 2))
    chosen = ua.argmax(axis=1, keepdims=True)
    return float(np.take_along_axis(wa, chosen, 1).mean()), float(np.take_along_axis(ua, chosen, 1).mean())


def with_interval(mean: float, low: float, high: float) -> str:
    """Percent with an interval: 81.3 [75.0, 87.6]."""
    if np.isnan(low):
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def table1(scored: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Table 1 for one metric: the paper's score beside ours, by corpus; percent, mean over folds with 95 % interval.

    Args:
        scored: as :func:`scores` returns them.
        metric: ``wa`` or ``ua``.
    """
    summarised = summary(scored).set_index(["corpus", "experiment"])
    rows = []
    for column in paper.TABLE1:
        row = {
            "Experiment": column.experiment,
            "VTLP": "+" if column.augmentation else "−",
            "×2": "+" if column.oversampling else "−",
            "kHz": column.kilohertz,
            "Paper, IEMOCAP": f"{getattr(column, metric):.1f}",
        }
        for corpus in OPEN_CORPORA + ("iemocap",):
            row[f"Ours, {TITLES[corpus]}"] = _cell(summarised, corpus, column.experiment, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def table2(scored: pd.DataFrame, corpus: str, experiment: str = "table1-best") -> pd.DataFrame:
    """Table 2 of one corpus: each fold's test speaker, its utterances, WA and UA (percent; mean over seeds)."""
    part = scored[(scored["corpus"] == corpus) & (scored["experiment"] == experiment)]
    by_fold = part.groupby(["fold", "test_speaker"])[["utterances", "wa", "ua"]].mean().reset_index()
    table = by_fold.rename(columns={"fold": "Fold", "test_speaker": "Test speaker", "utterances": "Utterances"})
    table["Utterances"] = table["Utterances"].astype(int)
    table["WA (%)"] = (100 * by_fold["wa"]).map("{:.1f}".format)
    table["UA (%)"] = (100 * by_fold["ua"]).map("{:.1f}".format)
    return table[["Fold", "Test speaker", "Utterances", "WA (%)", "UA (%)"]]


def averages(scored: pd.DataFrame, corpus: str, experiment: str = "table1-best") -> pd.DataFrame:
    """The rows below Table 2: mean over folds, pooled, and "5 best folds", the paper's beside ours (percent)."""
    names = ["mean over folds", "pooled", "better speaker of each session"]
    ours = {name: (NOT_RUN, NOT_RUN) for name in names}
    part = scored[(scored["corpus"] == corpus) & (scored["experiment"] == experiment)]
    if len(part):
        row = summary(part).iloc[0]
        ours[names[0]] = (
            with_interval(row.wa, row.wa_low, row.wa_high),
            with_interval(row.ua, row.ua_low, row.ua_high),
        )
        ours[names[1]] = (f"{100 * row.pooled_wa:.1f}", "–")
        by_fold = part.groupby("fold")[["wa", "ua"]].mean()
        if len(by_fold) % 2 == 0 and list(by_fold.index) == list(range(1, len(by_fold) + 1)):
            ours[names[2]] = tuple(f"{100 * score:.1f}" for score in best_of_sessions(by_fold["wa"], by_fold["ua"]))
    mean, best = paper.TABLE2_AVERAGES["10 fold cross-valid."], paper.TABLE2_AVERAGES["5 best folds"]
    printed = {
        names[0]: (f"{mean.wa:.1f}", f"{mean.ua:.1f}"),
        names[1]: ("not printed", "not printed"),
        names[2]: (f"{best.wa:.1f}", f"{best.ua:.1f}"),
    }
    title = TITLES[corpus]
    return pd.DataFrame(
        [
            {
                "Average": name,
                "WA paper (IEMOCAP)": printed[name][0],
                f"WA ours ({title})": ours[name][0],
                "UA paper (IEMOCAP)": printed[name][1],
                f"UA ours ({title})": ours[name][1],
            }
            for name in names
        ]
    )


def fold_beside_paper(scored: pd.DataFrame) -> pd.DataFrame:
    """One run's scores beside the row of the same number in Table 2 (another speaker of another corpus), in percent."""
    rows = []
    printed = {row.fold: row for row in paper.TABLE2}
    for run in scored.itertuples():
        title = f"ours, {TITLES[run.corpus]}"
        rows.append({"": title, "Test speaker": run.test_speaker, "WA (%)": 100 * run.wa, "UA (%)": 100 * run.ua})
        if run.fold in printed:
            row = printed[run.fold]
            rows.append({"": "paper, IEMOCAP", "Test speaker": row.speaker, "WA (%)": row.wa, "UA (%)": row.ua})
    table = pd.DataFrame(rows)
    table[["WA (%)", "UA (%)"]] = table[["WA (%)", "UA (%)"]].map("{:.1f}".format)
    return table


def steps(scored: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """What each column of Table 1 adds to the one before, the paper's beside ours, in percentage points."""
    rows = []
    for before, after in itertools.pairwise(paper.TABLE1):
        row = {"From": before.experiment, "To": after.experiment}
        for metric in ("ua", "wa"):
            row[f"{metric.upper()} paper, IEMOCAP"] = f"{getattr(after, metric) - getattr(before, metric):+.1f}"
            ours = 100 * paired_difference(scored, corpus, after.experiment, before.experiment, metric)
            row[f"{metric.upper()} ours, {TITLES[corpus]}"] = points_with_interval(ours) if len(ours) else NOT_RUN
        rows.append(row)
    return pd.DataFrame(rows)


def points_with_interval(differences: np.ndarray) -> str:
    """Mean of differences in percentage points, one per speaker, with its 95 % interval: +1.2 [−0.3, +2.7]."""
    low, high = interval(differences)
    mean = f"{np.mean(differences):+.1f}"
    return mean if np.isnan(low) else f"{mean} [{low:+.1f}, {high:+.1f}]"


def corpus_summary(manifests: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """Utterances, speakers, emotions and lengths of each corpus; "not run yet" where no table of utterances is kept."""
    rows = []
    for corpus, manifest in manifests.items():
        row = {"Corpus": TITLES[corpus]}
        if manifest is None:
            rows.append(row)
            continue
        counts = manifest["emotion"].value_counts()
        row |= {"Utterances": len(manifest), "Speakers": manifest["speaker"].nunique()}
        row |= {emotion.capitalize(): counts.get(emotion, 0) for emotion in EMOTIONS}
        frames = frame_counts(manifest["duration"])
        row |= {"Minutes": f"{manifest['duration'].sum() / 60:.1f}", "Frames": f"{frames.min()} to {frames.max()}"}
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOT_RUN)


def run_summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Where the runs of each corpus and experiment come from: how many, code version, hardware, time, memory."""
    rows = []
    for (corpus, experiment), part in runs.groupby(["corpus", "experiment"], sort=True):
        rows.append(
            {
                "Corpus": TITLES[corpus],
                "Experiment": experiment,
                "Configuration": ", ".join(sorted(part["configuration"].unique())),
                "Runs": len(part),
                "Seeds": part["seed"].nunique(),
                "Code": ", ".join(sorted(part["code"].unique())),
                "Hardware": ", ".join(sorted(part["hardware"].unique())),
                "Median seconds": f"{part['seconds'].median():.0f}",
                "Peak MiB": f"{part['peak_memory_mib'].max():.0f}",
            }
        )
    return pd.DataFrame(rows)


def settings_table(experiment: Experiment) -> pd.DataFrame:
    """Every setting: what it means, what the paper says, the value here, and why."""
    return pd.DataFrame(
        [
            {
                "Setting": name,
                "Meaning": field.description,
                "Paper": field.json_schema_extra["paper"],
                "Here": _value(getattr(experiment, name)),
                "Why": field.json_schema_extra["reason"],
            }
            for name, field in Experiment.model_fields.items()
        ]
    )


def experiments_table(experiments: Mapping[str, Experiment]) -> pd.DataFrame:
    """The settings in which experiments differ from the first of them, and the digest of each configuration."""
    first, *_ = experiments.values()
    rows = []
    for name, experiment in experiments.items():
        changed = [
            f"{key}={_value(value)}" for key, value in experiment.model_dump().items() if value != getattr(first, key)
        ]
        rows.append({"Experiment": name, "Settings": ", ".join(changed) or "–", "Configuration": experiment.digest})
    return pd.DataFrame(rows)


def _value(value: object) -> str:
    return json.dumps(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class Shown:
    """A table as pages and notebooks show it: caption, text alternative, no index; the same text on every machine."""

    frame: pd.DataFrame
    caption: str
    classes: Mapping[str, str] = field(default_factory=dict)
    """Cell text -> CSS class of that cell."""

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.frame.to_string(index=False)}"

    def _repr_html_(self) -> str:
        def cell(value: object) -> str:
            css = self.classes.get(str(value))
            content = html.escape(str(value))
            content = f'<span class="{css}">{content}</span>' if css else content
            words = re.search(r"[^\W\d_]{2}", str(value))  # numbers line up on the right, words on the left
            return f'<td class="words">{content}</td>' if words else f"<td>{content}</td>"

        head = "".join(f'<th scope="col">{html.escape(str(column))}</th>' for column in self.frame.columns)
        body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in self.frame.itertuples(index=False))
        return (
            f'<div class="shown-table"><table class="dataframe table"><caption>{html.escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def readme_tables(scored: pd.DataFrame) -> str:
    """The results in README.md: Table 1 as Markdown, one table per metric."""
    parts = []
    for metric, title in (("ua", "Unweighted accuracy"), ("wa", "Weighted accuracy")):
        table = table1(scored, metric)
        lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
        parts.append(f"{title}, percent:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def update_readme(scored: pd.DataFrame, readme: Path | None = None) -> None:
    """Write the table of results anew, between the two marks in README.md.

    Raises:
        SerError: the marks are missing.
    """
    readme = readme or paths.PROJECT / "README.md"
    pattern = re.compile(r"(<!-- results:start -->\n).*?(<!-- results:end -->)", re.DOTALL)
    text, found = pattern.subn(lambda marks: f"{marks[1]}{readme_tables(scored)}\n{marks[2]}", readme.read_text())
    if found != 1:
        raise SerError(f"{readme} has no marks <!-- results:start --> and <!-- results:end --> to write between")
    readme.write_text(text)


def _cell(summarised: pd.DataFrame, corpus: str, experiment: str, metric: str) -> str:
    if (corpus, experiment) not in summarised.index:
        return LICENCE if corpus == "iemocap" else NOT_RUN
    row = summarised.loc[(corpus, experiment)]
    return with_interval(row[metric], row[f"{metric}_low"], row[f"{metric}_high"])
