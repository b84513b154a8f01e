"""Baselines under the very same folds as the network: what is gained over far simpler methods (Section 3's protocol).

The paper compares with other networks only. Three methods are far simpler: the most frequent class, logistic regression
on the spectrogram pooled over time, and a linear support vector machine (SVM) on eGeMAPS, the field's standard set of
acoustic features. The validation speaker of each fold chooses C, and the test speaker is looked at once.

eGeMAPS is computed by openSMILE. Its licence is free for research and other non-commercial use, and no open-source
licence: the package is imported only where it is used.
"""

import hashlib
import importlib
import json
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from ser_lib import audio, features, metrics, origins, paths, records
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import BASELINE
from ser_lib.files import read_json, read_table, write_file
from ser_lib.folds import Fold, speaker_folds
from ser_lib.measurements import refuse_unnamed_code

COLUMNS = ["corpus", "baseline", "normalisation", "fold", "speaker", "utterance", "truth", "prediction", "C"]
"""Of the table of test predictions; C is the one that the validation speaker chose, NaN where there is none."""

NORMALISATIONS = {"none": "none", "training": "training rows", "speaker": "each speaker's own"}
"""What features are standardised by, and how tables name it.

"speaker" takes mean and standard deviation over all utterances of each speaker, the test speaker included. No label is
used, but it looks at all of the test speaker's recordings at once.
"""

STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""Each C that the validation speaker may choose: the smaller, the stronger the regularisation."""

FREQUENCY_RANGE = BASELINE.frequency_range
FEATURE_SET = "eGeMAPSv02"
FILE = "test_predictions.csv"
"""Not predictions.csv: by that name :func:`ser_lib.collection.load_results` finds what runs have left."""

_FOLDER = "baselines"
_PROVENANCE = "provenance.json"


def pooled_spectrogram(table: pd.DataFrame, progress: bool = False) -> np.ndarray:
    """Mean and standard deviation over time of every frequency bin up to 4 kHz, from the feature store of the runs.

    Args:
        table: utterances as :func:`ser_lib.corpora.load` returns them.
        progress: whether to show a progress bar.

    Returns:
        Means, then standard deviations, in dB; float64, shape (utterances, 2 x 257).
    """
    store = records.open_store(table, BASELINE.floor_db, progress)
    pictures = (store.picture(row, features.BINS[FREQUENCY_RANGE]).astype(np.float64) for row in range(len(table)))
    return np.array([np.concatenate([picture.mean(axis=1), picture.std(axis=1)]) for picture in pictures])


def egemaps(table: pd.DataFrame, progress: bool = False) -> np.ndarray:
    """The 88 functionals of eGeMAPSv02 of every utterance; computed once and kept beside the feature stores.

    Args:
        table: utterances as :func:`ser_lib.corpora.load` returns them.
        progress: whether to show a progress bar.

    Returns:
        Functionals in openSMILE's order and units, float64, shape (utterances, 88).

    Raises:
        SerError: openSMILE is not installed, a recording has no finite functionals, or the file kept does not fit.

    Source: Eyben et al. 2016 (the set), not the paper.
    """
    opensmile = opensmile_module()
    identity = [table.attrs["fingerprint"], FEATURE_SET, opensmile.__version__]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    file = paths.data_folder() / "features" / f"{table.attrs['corpus']}-egemaps-{digest}.csv"
    if not file.exists():
        functionals = _functionals(opensmile, table, progress)
        remedy = paths.remedy("SER_DATA")
        write_file(file, lambda aside: functionals.to_csv(aside, index=False), remedy)
    remedy = "delete the file and start again"
    kept = read_table(file, remedy, ["utterance"], dtype={"utterance": str}, float_precision="round_trip")
    if kept["utterance"].tolist() != table["utterance"].tolist():
        raise SerError(f"{file} does not fit its corpus: {remedy}")
    return kept.drop(columns="utterance").to_numpy(dtype=np.float64)


def opensmile_module() -> types.ModuleType:
    """openSMILE, or what to install.

    Raises:
        SerError: it cannot be imported.
    """
    try:
        return importlib.import_module("opensmile")
    except (ImportError, OSError) as problem:
        raise SerError(
            f"openSMILE, which computes {FEATURE_SET}, cannot be imported ({problem}); install it with: "
            "python -m pip install opensmile (free for research and other non-commercial use, not open source)"
        ) from problem


def _functionals(opensmile: types.ModuleType, table: pd.DataFrame, progress: bool) -> pd.DataFrame:
    extractor = opensmile.Smile(
        feature_set=opensmile.FeatureSet[FEATURE_SET], feature_level=opensmile.FeatureLevel.Functionals
    )
    rows = []
    for path in tqdm(table["path"], desc=FEATURE_SET, unit="utterance", disable=not progress):
        row = extractor.process_signal(audio.load(path), audio.SAMPLE_RATE)
        if not np.isfinite(row.to_numpy()).all():
            raise SerError(f"{path}: openSMILE finds no finite {FEATURE_SET} in it; {audio.COPY_AGAIN}")
        rows.append(row)
    functionals = pd.concat(rows, ignore_index=True)
    functionals.insert(0, "utterance", table["utterance"].to_numpy())
    return functionals


def no_features(table: pd.DataFrame, progress: bool = False) -> np.ndarray:
    """A column of zeros for what looks at labels only, shape (utterances, 1)."""
    return np.zeros((len(table), 1))


@dataclass(frozen=True)
class Baseline:
    """One method.

    Attributes:
        title: how tables name it.
        features: from a corpus's table to one row of numbers per utterance.
        classifier: from C to a scikit-learn classifier that has not been fitted.
        strengths: each C to choose from, ascending; None alone where there is nothing to choose.
        normalisations: names of `NORMALISATIONS`, one variant of the method each.
    """

    title: str
    features: Callable[..., np.ndarray]
    classifier: Callable[[float | None], ClassifierMixin]
    strengths: tuple[float | None, ...] = STRENGTHS
    normalisations: tuple[str, ...] = ("training", "speaker")


def majority(C: None = None) -> ClassifierMixin:
    """The most frequent class of the training rows; of several, the first in the alphabet."""
    return DummyClassifier(strategy="most_frequent")


def logistic_regression(C: float) -> ClassifierMixin:
    """Multinomial logistic regression on standardised features, classes weighted to count the same."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, class_weight="balanced", max_iter=10_000))


def linear_svm(C: float) -> ClassifierMixin:
    """Linear support vector machines, one against one, on standardised features, classes weighted to count the same."""
    return make_pipeline(StandardScaler(), SVC(C=C, kernel="linear", class_weight="balanced"))


BASELINES = {
    "majority": Baseline("majority class", no_features, majority, (None,), ("none",)),
    "logistic-spectrogram": Baseline(
        "logistic regression, pooled spectrogram", pooled_spectrogram, logistic_regression
    ),
    "svm-egemaps": Baseline("linear SVM, eGeMAPS", egemaps, linear_svm),
}


def normalise_by_speaker(values: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Each speaker's features less their mean over that speaker's utterances, over their standard deviation there.

    Args:
        values: features, shape (utterances, features).
        speakers: whose each utterance is, shape (utterances,).

    Returns:
        The same shape; a feature that is constant for a speaker is 0 there.
    """
    normalised = np.empty_like(values)
    for speaker in np.unique(speakers):
        rows = np.flatnonzero(speakers == speaker)
        normalised[rows] = StandardScaler().fit_transform(values[rows])
    return normalised


def predict_fold(
    baseline: Baseline, values: np.ndarray, emotions: np.ndarray, fold: Fold
) -> tuple[np.ndarray, float | None]:
    """Fit on the training speakers, choose C by UA on the validation speaker, and predict the test speaker once.

    Args:
        baseline: the method.
        values: features, shape (utterances, features).
        emotions: true labels, shape (utterances,).
        fold: which rows are for what.

    Returns:
        Predictions in the order of ``fold.test``, and the C that was chosen: of equally good ones the smallest.
    """
    fitted = {}
    for strength in baseline.strengths:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)  # no score of a fit that was cut short
            fitted[strength] = baseline.classifier(strength).fit(values[fold.train], emotions[fold.train])

    def validation_ua(strength: float | None) -> float:
        rows = fold.validation
        return metrics.unweighted_accuracy(emotions[rows], fitted[strength].predict(values[rows]), EMOTIONS)

    chosen = max(baseline.strengths, key=validation_ua)
    return fitted[chosen].predict(values[fold.test]), chosen


def cross_validate(name: str, normalisation: str, table: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    """Test predictions of one variant of a baseline over all folds of a corpus.

    Args:
        name: one of `BASELINES`.
        normalisation: one of `NORMALISATIONS`.
        table: utterances as :func:`ser_lib.corpora.load` returns them.
        values: features of the baseline, shape (utterances, features).

    Returns:
        One row per utterance, with the columns `COLUMNS`.
    """
    if normalisation == "speaker":
        values = normalise_by_speaker(values, table["speaker"].to_numpy(dtype=object))
    emotions = table["emotion"].to_numpy(dtype=object)
    parts = []
    for fold in speaker_folds(table):
        prediction, chosen = predict_fold(BASELINES[name], values, emotions, fold)
        part = table[["speaker", "utterance"]].iloc[fold.test].assign(fold=fold.number, truth=emotions[fold.test])
        parts.append(part.assign(prediction=prediction, C=np.nan if chosen is None else chosen))
    identity = {"corpus": table.attrs["corpus"], "baseline": name, "normalisation": normalisation}
    return pd.concat(parts, ignore_index=True).assign(**identity)[COLUMNS]


def run(table: pd.DataFrame, progress: bool = False) -> pd.DataFrame:
    """Test predictions of every baseline on a corpus; columns `COLUMNS`.

    Raises:
        SerError: openSMILE is not installed (said before anything is computed), or a recording cannot be read.
    """
    opensmile_module()
    parts = []
    for name, baseline in BASELINES.items():
        values = baseline.features(table, progress)
        parts += [cross_validate(name, variant, table, values) for variant in baseline.normalisations]
    return pd.concat(parts, ignore_index=True)


def save(predictions: pd.DataFrame, table: pd.DataFrame, folder: Path | None = None) -> Path:
    """Keep test predictions, and where they come from, beside the results of runs.

    IEMOCAP's labels are licensed: as with runs, git ignores its folder of results, which stays with its owner.

    Args:
        predictions: as :func:`run` returns them.
        table: the corpus that they are of.
        folder: the committed ``results/`` if None.

    Returns:
        The folder that was written.

    Raises:
        SerError: the code is not that of a commit.
    """
    own = (folder or paths.results_folder()) / table.attrs["corpus"] / _FOLDER
    origin = origins.provenance("cpu")
    refuse_unnamed_code([origin["code"]])
    origin["packages"]["opensmile"] = opensmile_module().__version__
    content = {
        **{key: table.attrs[key] for key in ("corpus", "fingerprint")},
        "corpus_options": table.attrs["options"],
        "settings": settings(),
        **origin,
    }
    write_file(own / FILE, lambda aside: predictions.to_csv(aside, index=False), paths.remedy("SER_RESULTS"))
    text = json.dumps(content, indent=1) + "\n"
    write_file(own / _PROVENANCE, lambda aside: aside.write_text(text), paths.remedy("SER_RESULTS"))
    return own


def settings() -> dict:
    """All that the predictions depend on beside the corpus, for the record."""
    return {
        "frequency_range_khz": FREQUENCY_RANGE,
        "floor_db": BASELINE.floor_db,
        "feature_set": FEATURE_SET,
        "baselines": {
            name: {
                "classifier": " ".join(repr(baseline.classifier(baseline.strengths[0])).split()),
                "C": [strength for strength in baseline.strengths if strength is not None],
                "normalisations": list(baseline.normalisations),
            }
            for name, baseline in BASELINES.items()
        },
    }


def load(folder: Path | None = None) -> pd.DataFrame:
    """The test predictions of all corpora; an empty table where there are none.

    Args:
        folder: the committed ``results/`` if None.

    Returns:
        One row per utterance and variant: `COLUMNS`, and the ``fingerprint`` of the corpus that they were fitted on.

    Raises:
        SerError: a table is damaged or lacks a column, or does not say where it comes from.
    """
    tables = []
    for file in sorted((folder or paths.results_folder()).glob(f"*/{_FOLDER}/{FILE}")):
        table = read_table(file, _fit_again(file), COLUMNS, dtype={"utterance": str, "speaker": str})
        tables.append(table[COLUMNS].assign(fingerprint=_origin(file.parent)["fingerprint"]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "fingerprint"])


def sources(folder: Path | None = None) -> pd.DataFrame:
    """Where the baselines of each corpus come from: ``corpus``, ``code`` and ``hardware``.

    Args:
        folder: the committed ``results/`` if None.

    Raises:
        SerError: a file of provenance is damaged.
    """
    files = sorted((folder or paths.results_folder()).glob(f"*/{_FOLDER}/{_PROVENANCE}"))
    return pd.DataFrame([_origin(file.parent) for file in files], columns=["corpus", "code", "hardware"])


def _origin(folder: Path) -> dict:
    """What :func:`save` wrote on where the baselines in a folder come from."""
    file = folder / _PROVENANCE
    return read_json(file, _fit_again(file))


def _fit_again(file: Path) -> str:
    """What to do about a damaged file of some corpus's baselines."""
    return f"write it again with python -m ser_lib baselines --corpus {file.parts[-3]}"


def variant(name: str, normalisation: str) -> str:
    """The name of a baseline with its normalisation, where an experiment's name would stand."""
    return f"{name}/{normalisation}"


def as_runs(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions with ``experiment`` and ``seed``, as if each variant were an experiment run with one seed.

    :func:`ser_lib.scoring.scores` then makes the same of them as of the network's.
    """
    names = [variant(*row) for row in predictions[["baseline", "normalisation"]].itertuples(index=False)]
    return predictions.assign(experiment=names, seed=0)
