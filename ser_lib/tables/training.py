"""What trainings did: their draws, pace, convergence and end, and trainings that were made twice."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.experiments import EXPERIMENTS
from ser_lib.folds import OVERSAMPLED
from ser_lib.scoring import alike, of_experiment, supported_interval
from ser_lib.statements import LEARNT, by_run, has_learnt, learns, pace_of_convolutions, rise
from ser_lib.wording import CORPORA, NOT_RUN, unmeasured


def oversampled_shares(utterances: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """What oversampling (×2) makes of the classes of each corpus: a row per corpus, such as "23 → 15" per emotion.

    Args:
        utterances: open corpus -> its table of utterances; None where none is kept, which has no row.

    Returns:
        Per cent of all utterances, in whole numbers; IEMOCAP's row, first, is of its published counts.

    Source: Section 2; Table 1, "Oversampling (x2) of happiness and anger".
    """
    counts = {"iemocap": iemocap.PUBLISHED_COUNTS.sum()}
    counts |= {name: table["emotion"].value_counts() for name, table in utterances.items() if table is not None}
    rows = []
    for corpus, before in counts.items():
        before = before.reindex(list(EMOTIONS))
        after = before * np.where(before.index.isin(OVERSAMPLED), 2, 1)
        shares = zip(EMOTIONS, 100 * before / before.sum(), 100 * after / after.sum(), strict=True)
        rows.append({"Corpus": TITLES[corpus]} | {emotion: f"{old:.0f} → {new:.0f}" for emotion, old, new in shares})
    return pd.DataFrame(rows)


def same_trainings(predictions: pd.DataFrame, runs: pd.DataFrame, pairs: Mapping[str, str]) -> pd.DataFrame:
    """Experiments that are the same training by proof, and how many of their runs are: what repeating a run gives.

    Args:
        predictions: test predictions, as :func:`ser_lib.collection.load_results` returns them.
        runs: where each run was made, likewise.
        pairs: experiment -> the other that is the same.

    Returns:
        One row per corpus and hardware: pairs of runs that were made there, how many of them are alike
        (:func:`ser_lib.scoring.alike`), and the largest share of test utterances that a pair predicts otherwise.
    """
    found = [
        alike(predictions, runs, corpus, *pair).assign(corpus=corpus) for corpus in CORPORA for pair in pairs.items()
    ]
    rows = [
        {
            "Corpus": TITLES[corpus],
            "Both made on": hardware,
            "Pairs of runs": len(part),
            "Alike to four digits": int(part["alike"].sum()),
            "Most predicted otherwise in one (%)": f"{100 * part['other'].max():.1f}",
        }
        for (corpus, hardware), part in pd.concat(found).groupby(["corpus", "hardware"], sort=False)
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame({"Pairs of runs": [NOT_RUN]})


def variety(measured: pd.DataFrame) -> pd.DataFrame:
    """How alike the gradients of two batches are, by batch size and corpus.

    Args:
        measured: as :func:`ser_lib.variety.load` returns it.

    Returns:
        A row per corpus and experiment, a column per batch size: the mean over speakers with its 95 % interval from
        `MINIMUM_FOLDS` on; a corpus that was not measured has a row that says so.

    Source: Section 3, footnote 4.
    """
    sizes = sorted(measured["batch_size"].unique()) or [NOT_RUN]
    rows = []
    for corpus in CORPORA:
        of_corpus = measured[measured["corpus"] == corpus]
        groups = of_corpus.groupby("experiment") if len(of_corpus) else [("–", of_corpus)]
        for experiment, part in groups:
            row = {"Corpus": TITLES[corpus], "Experiment": experiment, "Speakers": part["fold"].nunique()}
            for size in sizes:
                by_fold = part[part["batch_size"] == size].groupby("fold")["cosine"].mean().to_numpy(dtype=float)
                missing = unmeasured(corpus)
                row[f"batches of {size}"] = _hundredths(by_fold) if len(by_fold) else missing
            rows.append(row)
    return pd.DataFrame(rows)


def _hundredths(values: np.ndarray, of: Callable[[float], float] = float) -> str:
    """The mean of one value per speaker with its 95 % interval: 0.18 [0.07, 0.29], from `MINIMUM_FOLDS` on.

    Args:
        values: one per speaker, shape (speakers,).
        of: what is shown of the mean and of both ends.
    """
    mean, low, high = (of(value) for value in (values.mean(), *supported_interval(values)))
    return f"{mean:.2f}" + ("" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]")


def pace_by_layer(updates: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """How many times the share of its weights that a Bi-LSTM layer is moved by in a step each convolution is moved by.

    Args:
        updates: norm of the update over norm of the weights of every layer, as in
            :class:`ser_lib.collection.Results`.
        experiment: whose runs.

    Returns:
        A row per corpus and a column per convolution: geometric means over epochs, seeds and speakers, of several
        Bi-LSTM layers too, with the 95 % interval over speakers from `MINIMUM_FOLDS` on.

    Source: Sections 1 and 4 ("trained at a very different pace").
    """
    parts = {corpus: of_experiment(updates, corpus, experiment) for corpus in CORPORA}
    paces = {corpus: pace_of_convolutions(part) for corpus, part in parts.items() if len(part)}
    layers = dict.fromkeys(layer for pace in paces.values() for layer in pace)
    rows = []
    for corpus in CORPORA:
        row = {"Corpus": TITLES[corpus], "Speakers": len(paces.get(corpus, ()))}
        for layer in layers:
            missing = unmeasured(corpus)
            row[layer] = _hundredths(paces[corpus][layer].to_numpy(), np.exp) if corpus in paces else missing
        rows.append(row)
    return pd.DataFrame(rows)


def convergence(histories: pd.DataFrame, pairs: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """How soon networks with and without normalisation of the input learn, and how far they overfit.

    Args:
        histories: every epoch of the runs of one corpus, with ``training_loss`` and ``validation_loss``.
        pairs: name of a network -> the experiment with, and the one without.

    Returns:
        Two rows per network: means over the folds and seeds that both have run of the first epoch whose training loss
        is :data:`ser_lib.statements.LEARNT` or less (and how many runs never came there), of the lowest validation
        loss, and of the rise of the validation loss from there to the last epoch.

    Source: Section 3, eq. 2 ("significantly improves the convergence time", "strong overfitting"). The measures are
    ours: the paper names none.
    """
    columns = ["Runs", f"Epochs to a training loss of {LEARNT:.2f}", "Lowest validation loss", "Rise from there"]
    rows = []
    for network, pair in pairs.items():
        runs = [dict(list(histories[histories["experiment"] == name].groupby(["fold", "seed"]))) for name in pair]
        shared = sorted(set(runs[0]) & set(runs[1]))
        for words, of in zip(("with", "without"), runs, strict=True):
            parts = [of[run].sort_values("epoch") for run in shared]
            values = [len(shared), *_learning(parts)] if parts else [NOT_RUN] * len(columns)
            rows.append({"Network": network, "Normalisation": words} | dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=["Network", "Normalisation", *columns])


def endings(runs: pd.DataFrame, histories: pd.DataFrame, experiments: Sequence[str]) -> pd.DataFrame:
    """How the training of some experiments ended: by the limit on its epochs, and with what learnt.

    Args:
        runs: where the runs come from, with ``epochs`` and ``best_epoch``.
        histories: every epoch of them, with ``training_loss``.
        experiments: those to show.

    Returns:
        A row per experiment, a column per corpus: how many runs were ended by the limit while the validation score
        could still have risen, for patience had not run out, and in how many the training loss came down to
        :data:`ser_lib.statements.LEARNT`.

    Source: none in the paper, which states neither limit nor patience.
    """
    learnt = by_run(histories[histories["experiment"].isin(experiments)], learns)
    rows = []
    for experiment in experiments:
        row, settings = {"Experiment": experiment}, EXPERIMENTS[experiment]
        for corpus in CORPORA:
            part, fit = (of_experiment(table, corpus, experiment) for table in (runs, learnt))
            waiting = part["epochs"] - part["best_epoch"] < settings.patience
            ended = int((waiting & (part["epochs"] == settings.epochs)).sum())
            words = f"{ended} of {len(part)} by the limit; {int(fit['value'].sum())} have learnt"
            row[TITLES[corpus]] = words if len(part) else unmeasured(corpus)
        rows.append(row)
    return pd.DataFrame(rows)


def _learning(histories: list[pd.DataFrame]) -> tuple[str, str, str]:
    """First epoch in which it has learnt, lowest validation loss and rise from there, each a mean over some runs."""
    first = [history.loc[has_learnt(history), "epoch"].min() for history in histories]
    never = int(np.isnan(first).sum())
    lowest = np.array([history["validation_loss"].min() for history in histories])
    epochs = "never" if never == len(first) else f"{np.nanmean(first):.1f}"
    if 0 < never < len(first):
        epochs += f" (never in {never} of {len(first)})"
    return epochs, f"{lowest.mean():.2f}", f"{np.mean([rise(history) for history in histories]):+.2f}"
