"""Speaker folds and oversampling (Section 3, first paragraph; Section 2; Table 1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_lib.errors import SerError

OVERSAMPLED = ("happiness", "anger")
"""The two classes that the paper repeats (Table 1)."""


@dataclass(frozen=True)
class Fold:
    """One split of the utterance table: a speaker to test, the partner to validate, all other sessions to train.

    ``train``, ``validation`` and ``test`` are row positions in the table, int64, ascending. ``number`` counts from 1 in
    the order of Table 2: sessions ascending, the woman before the man.
    """

    number: int
    test_speaker: str
    validation_speaker: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def speaker_folds(table: pd.DataFrame) -> list[Fold]:
    """All folds of a corpus, one per speaker.

    Args:
        table: utterances, with the columns ``speaker``, ``gender`` and ``session``.

    Returns:
        Folds in the order of Table 2.

    Raises:
        SerError: a session does not hold exactly two speakers, or a speaker occurs in two sessions.

    Source: Section 3 ("the validation and test sets to correspond to two different speakers of one of the sessions").
    """
    speakers = table[["session", "gender", "speaker"]].drop_duplicates().sort_values(["session", "gender", "speaker"])
    repeated = speakers.loc[speakers["speaker"].duplicated(), "speaker"]
    if len(repeated):
        raise SerError(f"speaker {repeated.iloc[0]} occurs with two sessions or genders: no fold can hold them apart")
    sizes = speakers.groupby("session")["speaker"].agg(list)
    for session, members in sizes.items():
        if len(members) != 2:
            raise SerError(
                f"session {session} holds {len(members)} speaker(s) ({', '.join(members)}): a fold needs exactly two, "
                "one to test and one to validate"
            )
    if len(sizes) < 2:
        raise SerError("the table holds one session only: nothing is left to train on")
    by_row = table["speaker"].to_numpy()
    session_by_row = table["session"].to_numpy()
    folds = []
    for number, row in enumerate(speakers.itertuples(), start=1):
        (partner,) = (member for member in sizes[row.session] if member != row.speaker)
        folds.append(
            Fold(
                number=number,
                test_speaker=row.speaker,
                validation_speaker=partner,
                train=np.flatnonzero(session_by_row != row.session),
                validation=np.flatnonzero(by_row == partner),
                test=np.flatnonzero(by_row == row.speaker),
            )
        )
    return folds


def oversample(
    rows: np.ndarray, emotions: np.ndarray, factor: int, classes: tuple[str, ...] = OVERSAMPLED
) -> np.ndarray:
    """Repeat the rows of the rare classes; meant for the training part alone.

    Args:
        rows: row positions, shape (rows,).
        emotions: the emotion of every row of the table, shape (utterances,).
        factor: how often a rare row occurs afterwards; 1 changes nothing.
        classes: the classes to repeat.

    Returns:
        Row positions, the repeats behind the originals.

    Source: Table 1, "Oversampling (x2) of happiness and anger".
    """
    rare = rows[np.isin(emotions[rows], classes)]
    return np.concatenate([rows, *[rare] * (factor - 1)])
