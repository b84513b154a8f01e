"""RAVDESS, the Ryerson audio-visual database (Livingstone & Russo 2018): English, acted, 24 actors; its speech part."""

import re
from collections import Counter
from pathlib import Path

import pandas

from ser_lib.corpora import table

EMOTION_CODES = {"01": "neutral", "03": "happiness", "04": "sadness", "05": "anger"}
AUDIO_ONLY, SPEECH = "03", "01"
NAME = re.compile(
    r"(?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])-"
    r"(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)

ACTORS = tuple(f"{number:02d}" for number in range(1, 25))
PUBLISHED_COUNTS = {"neutral": 4, "sadness": 8, "anger": 8, "happiness": 8}  # of each actor
LAYOUT = "the folders Actor_01 to Actor_24"


def load(root: str | Path, *, allow_partial: bool = False, progress: bool = False) -> pandas.DataFrame:
    """Read RAVDESS from the layout of its publisher, ``Actor_XX/*.wav``; see :func:`ser_lib.corpora.load`.

    The file name says everything: modality, vocal channel, emotion, intensity, statement, repetition, actor. Song,
    video and the other emotions are left out. Actors with odd numbers are men; actors 1 and 2, 3 and 4, ... are pairs.

    Raises:
        SerError: wrong folder, a name that is not RAVDESS's, unfit audio, or other files than were published.
    """
    root = table.locate("ravdess", root, recognises, LAYOUT)
    problems, notes, recordings = [], [], []
    for folder in actor_folders(root):
        for name, path in table.audio_files(folder, problems).items():
            parts = NAME.fullmatch(name)
            if parts is None or folder.name != f"Actor_{parts['actor']}":
                problems.append(
                    f"{path}: is not named as RAVDESS names the files of {folder.name} "
                    f"(03-01-05-01-02-01-{folder.name[-2:]}.wav); rename it as published or move it out "
                    f"of the corpus"
                )
            elif (parts["modality"], parts["channel"]) == (AUDIO_ONLY, SPEECH) and parts["emotion"] in EMOTION_CODES:
                actor = int(parts["actor"])
                recordings.append(
                    table.Recording(
                        utterance=name,
                        path=path,
                        speaker=parts["actor"],
                        gender="M" if actor % 2 else "F",
                        session=(actor + 1) // 2,
                        scenario="acted",
                        emotion=EMOTION_CODES[parts["emotion"]],
                    )
                )
    expected = {f"actor {actor} {emotion}": number for actor in ACTORS for emotion, number in PUBLISHED_COUNTS.items()}
    found = Counter(f"actor {recording.speaker} {recording.emotion}" for recording in recordings)
    missing = table.differences(expected, found)
    if missing:
        table.settle(root, allow_partial, [f"not the corpus as published ({table.listing(missing)})"], problems, notes)
    table.complain("ravdess", root, problems)
    return table.build("ravdess", root, recordings, notes=notes, progress=progress)


def actor_folders(root: Path) -> list[Path]:
    """The folders ``Actor_XX`` directly inside ``root``, sorted."""
    return [folder for folder in table.subfolders(root) if re.fullmatch(r"Actor_\d\d", folder.name)]


def recognises(folder: Path) -> bool:
    """Whether this is RAVDESS's top folder."""
    return bool(actor_folders(folder))
