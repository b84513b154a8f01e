"""Corpora, experiments and settings, as pages list them."""

import json
from collections.abc import Mapping

import pandas as pd

from ser_lib.corpora import EMOTIONS, TITLES
from ser_lib.experiments import Experiment
from ser_lib.features import frame_counts
from ser_lib.wording import NOT_RUN


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
