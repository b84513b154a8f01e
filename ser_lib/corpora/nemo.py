"""nEMO (Christop 2024): Polish, acted, nine speakers of whom eight pair up."""

import re
from pathlib import Path

import pandas

from ser_lib.corpora import table

WOMEN = ("EB0", "IC0", "KD0", "MK0")
MEN = ("KS0", "SM0", "TP0", "WR0")
SESSIONS = {speaker: session for group in (WOMEN, MEN) for session, speaker in enumerate(group, start=1)}
WITHOUT_PARTNER = "MP0"
GENDERS = {"female": "F", "male": "M"}

OTHER_EMOTIONS = ("fear", "surprised")
NAME = re.compile(r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_(?P<sentence>\d+)")
NEEDED_COLUMNS = ("file_id", "emotion", "speaker_id", "gender")
LAYOUT = "data.tsv and the folder samples/"


def load(root: str | Path, *, allow_partial: bool = False, progress: bool = False) -> pandas.DataFrame:
    """Read nEMO from the layout of its publisher, ``data.tsv`` and ``samples/``; see :func:`ser_lib.corpora.load`.

    Fear and surprise are not among the four emotions and are left out; so is speaker MP0, who is incomplete and has no
    partner. How many sentences a speaker has is not checked: complete subsets of the corpus are in use.

    Raises:
        SerError: wrong folder, a malformed or contradictory row, a row without audio, audio without a row, unfit audio.
    """
    root = table.locate("nemo", root, recognises, LAYOUT)
    problems, missing, notes, recordings = [], [], [table.PAIRING_NOTE], []
    files = table.audio_files(root / "samples", problems)
    labelled, dropped = set(), 0
    for line, row in label_rows(root / "data.tsv", problems):
        name, place = row["file_id"].removesuffix(".wav"), f"{root / 'data.tsv'} line {line}"
        problem = row_problem(name, row, labelled)
        labelled.add(name)
        if problem:
            problems.append(f"{place}: {problem}; put back the row as published")
        elif row["speaker_id"] == WITHOUT_PARTNER:
            dropped += 1
        elif row["emotion"] in OTHER_EMOTIONS:
            continue
        elif name not in files:
            missing.append(f"label without audio: {name} ({place}) has no file {root / 'samples' / name}.wav or .flac")
        else:
            speaker = row["speaker_id"]
            recordings.append(
                table.Recording(
                    utterance=name,
                    path=files[name],
                    speaker=speaker,
                    gender=GENDERS[row["gender"]],
                    session=SESSIONS[speaker],
                    scenario="acted",
                    emotion=row["emotion"],
                )
            )
    missing += [
        f"audio without label: {path} has no row in {root / 'data.tsv'}"
        for name, path in files.items()
        if name not in labelled
    ]
    absent = sorted(set(SESSIONS) - {recording.speaker for recording in recordings})
    if absent:
        missing.append(f"no utterance of speaker {', '.join(absent)}")
    if dropped:
        notes.append(
            f"Speaker {WITHOUT_PARTNER} ({dropped} labelled files) is left out: incomplete and without a partner."
        )
    table.settle(root, allow_partial, missing, problems, notes)
    table.complain("nemo", root, problems)
    return table.build("nemo", root, recordings, notes=notes, progress=progress)


def label_rows(path: Path, problems: list[str]) -> list[tuple[int, dict[str, str]]]:
    """Line number and fields of every row of ``data.tsv``; lines that are not rows are added to ``problems``.

    Fields are stripped: the published ``speaker_id`` column has leading spaces.
    """
    # The sentences are not used: a byte of theirs that is no UTF-8 is no reason to stop.
    lines = path.read_text(encoding="utf-8-sig", errors="replace").rstrip("\n").split("\n")
    header = lines[0].split("\t")
    if absent := [column for column in NEEDED_COLUMNS if column not in header]:
        problems.append(f"{path} line 1: has no column {', '.join(absent)}; put back the file as published")
        return []
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != len(header):
            problems.append(
                f"{path} line {number}: has {len(fields)} fields where the header has {len(header)}; "
                f"put back the row as published"
            )
        else:
            rows.append((number, dict(zip(header, fields, strict=True))))
    return rows


def row_problem(name: str, row: dict[str, str], labelled: set[str]) -> str | None:
    """What is wrong with one row, if anything."""
    parts, speaker, emotion = NAME.fullmatch(name), row["speaker_id"], row["emotion"]
    if parts is None:
        return f"file_id {row['file_id']!r} is not of the form speaker_emotion_sentence.wav"
    if name in labelled:
        return f"{name} is labelled twice"
    if emotion not in table.EMOTIONS and emotion not in OTHER_EMOTIONS:
        return f"unknown emotion {emotion!r}"
    if speaker not in SESSIONS and speaker != WITHOUT_PARTNER:
        return f"unknown speaker {speaker!r}"
    if (parts["speaker"], parts["emotion"]) != (speaker, emotion):
        return f"{name} contradicts its row, which says speaker {speaker} and emotion {emotion}"
    if speaker in SESSIONS and GENDERS.get(row["gender"]) != ("F" if speaker in WOMEN else "M"):
        return f"gender {row['gender']!r} is not that of speaker {speaker}"
    return None


def recognises(folder: Path) -> bool:
    """Whether this is nEMO's top folder."""
    return (folder / "data.tsv").is_file() and (folder / "samples").is_dir()
