"""Emo-DB, the Berlin Database of Emotional Speech (Burkhardt et al. 2005): German, acted, ten speakers."""

import re
from collections import Counter
from pathlib import Path

import pandas

from ser_lib.corpora import table

WOMEN = ("08", "09", "13", "14", "16")
MEN = ("03", "10", "11", "12", "15")
SESSIONS = {speaker: session for group in (WOMEN, MEN) for session, speaker in enumerate(group, start=1)}

EMOTION_CODES = {"N": "neutral", "T": "sadness", "W": "anger", "F": "happiness"}
NAME = re.compile(r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[NTWFLEA])(?P<version>[a-z])")

PUBLISHED_COUNTS = {"neutral": 79, "sadness": 62, "anger": 127, "happiness": 71}
PUBLISHED_FILES = 535
LAYOUT = "the folder wav/ with files such as 03a01Fa.wav"


def load(root: str | Path, *, allow_partial: bool = False, progress: bool = False) -> pandas.DataFrame:
    """Read Emo-DB from the layout of its publisher, all in ``wav/``; see :func:`ser_lib.corpora.load`.

    The file name says everything: characters 1-2 speaker, 3-5 text, 6 emotion, 7 version. Boredom, disgust and fear
    are not among the four emotions and are left out.

    Raises:
        SerError: wrong folder, a name that is not Emo-DB's, unfit audio, or fewer files than were published.
    """
    root = table.locate("emodb", root, recognises, LAYOUT)
    problems, notes, recordings = [], [table.PAIRING_NOTE], []
    files = table.audio_files(root / "wav", problems)
    for name, path in files.items():
        parts = NAME.fullmatch(name)
        if parts is None or parts["speaker"] not in SESSIONS:
            problems.append(
                f"{path}: is not named as Emo-DB names its files (03a01Fa.wav: speaker, text, emotion, "
                f"version); rename it as published or move it out of the corpus"
            )
        elif parts["emotion"] in EMOTION_CODES:
            speaker = parts["speaker"]
            recordings.append(
                table.Recording(
                    utterance=name,
                    path=path,
                    speaker=speaker,
                    gender="F" if speaker in WOMEN else "M",
                    session=SESSIONS[speaker],
                    scenario="acted",
                    emotion=EMOTION_CODES[parts["emotion"]],
                )
            )
    found = {**Counter(recording.emotion for recording in recordings), "all files": len(files)}
    missing = table.differences({**PUBLISHED_COUNTS, "all files": PUBLISHED_FILES}, found)
    if missing:
        table.settle(root, allow_partial, [f"not the corpus as published ({table.listing(missing)})"], problems, notes)
    table.complain("emodb", root, problems)
    return table.build("emodb", root, recordings, notes=notes, progress=progress)


def recognises(folder: Path) -> bool:
    """Whether this is Emo-DB's top folder: some recording with one of its names lies in ``wav/``."""
    wav = folder / "wav"
    return wav.is_dir() and any(
        NAME.fullmatch(path.stem) for path in wav.iterdir() if path.suffix.lower() in table.SUFFIXES
    )
