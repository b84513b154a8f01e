"""Who trains, validates and tests: the paper's speaker folds, and others that they are compared with (Section 3).

Over the folds of every protocol, each utterance is tested exactly once, so that protocols can be compared speaker by
speaker. What is drawn at random follows from a fixed seed and the utterances' names: a protocol has one set of folds.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from ser_lib.errors import SerError
from ser_lib.folds import Fold, speaker_folds

SEED = 2018
"""Of everything that a protocol draws at random."""

VALIDATION_PARTS = 10
"""One of so many parts of the training sessions chooses the epoch where no speaker is set aside for it; fewer parts
where an emotion has too few utterances to be in all of them."""

ONE_TEST_SPEAKER = ("speakers", "test-validates")
"""The protocols whose folds each test one speaker, and all of that speaker's utterances."""


def folds_of(table: pd.DataFrame, protocol: str) -> list[Fold]:
    """All folds of a corpus under a protocol.

    Args:
        table: utterances, with the columns ``utterance``, ``speaker``, ``gender``, ``session`` and ``emotion``.
        protocol: a name in `PROTOCOLS`, as the setting of an experiment has it.

    Returns:
        Folds in the order of their numbers, from 1. Where several speakers test or validate, the fold names them all:
        ``03+08``.

    Raises:
        SerError: the corpus cannot be divided in this way.

    Source: Section 3, first paragraph, and footnotes 1 and 3 (the paper's folds, and five folds).
    """
    return PROTOCOLS[protocol](table)


def find_fold(table: pd.DataFrame, protocol: str, number: int) -> Fold:
    """The fold of that number under a protocol, counted from 1.

    Raises:
        SerError: there is no such fold.
    """
    folds = folds_of(table, protocol)
    if not 1 <= number <= len(folds):
        test = "".join(f", {fold.number}={fold.test_speaker}" for fold in folds if fold.test_speaker.count("+") < 2)
        words = f"protocol {protocol!r}" + (f"; fold=test speaker: {test[2:]}" if test else "")
        raise SerError(f"there is no fold {number}: choose one of 1 to {len(folds)} ({words})")
    return folds[number - 1]


def _mixed_pair(table: pd.DataFrame) -> list[Fold]:
    """The two speakers of a session are taken for one another: half of each tests, the other half validates.

    The slip that is met with on IEMOCAP reads the marker wearer of a dialogue for the speaker of its turns; about half
    of the turns are the wearer's. Random halves of each speaker and emotion stand for it here.
    """
    speakers, emotions = table["speaker"].to_numpy(), table["emotion"].to_numpy()
    kinds = np.array([f"{speaker}, {emotion}" for speaker, emotion in zip(speakers, emotions, strict=True)])
    folds = speaker_folds(table)
    halves: dict[str, list[np.ndarray]] = {}
    mixed = []
    for fold in folds:
        pair = "+".join(sorted((fold.test_speaker, fold.validation_speaker)))
        if pair not in halves:
            halves[pair] = _parts(table, np.union1d(fold.test, fold.validation), kinds, 2, "mixed-pair")
        test = halves[pair].pop()
        validation = np.setdiff1d(np.union1d(fold.test, fold.validation), test)
        mixed.append(replace(fold, test_speaker=pair, validation_speaker=pair, validation=validation, test=test))
    return mixed


def _utterances(table: pd.DataFrame) -> list[Fold]:
    """Parts of the utterances, whoever spoke them; as many as there are speakers, so that as much is trained on."""
    count = table["speaker"].nunique()
    if count < 3:
        raise SerError(f"{count} speakers: folds over utterances need three, to test, to validate and to train")
    every = np.arange(len(table))
    parts = _parts(table, every, table["emotion"].to_numpy(), count, "utterances")
    return [
        _fold(table, number, np.setdiff1d(every, np.union1d(test, validation)), validation, test)
        for number, (test, validation) in enumerate(zip(parts, parts[1:] + parts[:1], strict=True), start=1)
    ]


def _sessions(table: pd.DataFrame) -> list[Fold]:
    """One fold per session: both of its speakers test, and a tenth of the other sessions validates."""
    emotions = table["emotion"].to_numpy()
    folds = []
    for number, of_speaker in enumerate(speaker_folds(table)[::2], start=1):
        fewest = np.unique(emotions[of_speaker.train], return_counts=True)[1].min()
        parts = max(2, min(VALIDATION_PARTS, fewest))
        validation = _parts(table, of_speaker.train, emotions, parts, "sessions")[0]
        test = np.union1d(of_speaker.test, of_speaker.validation)
        folds.append(_fold(table, number, np.setdiff1d(of_speaker.train, validation), validation, test))
    return folds


def _test_validates(table: pd.DataFrame) -> list[Fold]:
    """The paper's folds, but the test speaker chooses the epoch; the partner has no part."""
    return [replace(fold, validation_speaker=fold.test_speaker, validation=fold.test) for fold in speaker_folds(table)]


PROTOCOLS: Mapping[str, Callable[[pd.DataFrame], list[Fold]]] = {
    "speakers": speaker_folds,
    "mixed-pair": _mixed_pair,
    "utterances": _utterances,
    "sessions": _sessions,
    "test-validates": _test_validates,
}
"""Name of each protocol -> its folds of a table of utterances; the first is the paper's."""


def _parts(table: pd.DataFrame, rows: np.ndarray, kinds: np.ndarray, count: int, protocol: str) -> list[np.ndarray]:
    """Some rows dealt out into parts, each kind as evenly as can be.

    Args:
        table: utterances; their names, and not their order, decide.
        rows: which of them, as positions.
        kinds: of every row of the table, shape (utterances,).
        count: how many parts.
        protocol: for the message.

    Returns:
        Row positions of each part, ascending.

    Raises:
        SerError: a kind has fewer utterances than there are parts.
    """
    rows = rows[np.argsort(table["utterance"].to_numpy()[rows], kind="stable")]
    names, sizes = np.unique(kinds[rows], return_counts=True)
    if sizes.min() < count:
        raise SerError(
            f"{names[sizes.argmin()]}: {sizes.min()} utterances cannot be dealt out into {count} parts; the protocol "
            f"{protocol!r} needs at least one for each"
        )
    splitter = StratifiedKFold(count, shuffle=True, random_state=SEED)
    return [np.sort(rows[part]) for _, part in splitter.split(rows, kinds[rows])]


def _fold(table: pd.DataFrame, number: int, train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> Fold:
    """A fold that names the speakers whose utterances its parts hold."""
    test_speakers, validation_speakers = (
        "+".join(sorted(table["speaker"].iloc[rows].unique())) for rows in (test, validation)
    )
    return Fold(number, test_speakers, validation_speakers, train, validation, test)
