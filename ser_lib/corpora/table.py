"""The one table that every corpus becomes, and the checks that all corpora share."""

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas
from tqdm import tqdm

from ser_lib import audio
from ser_lib.errors import SerError

EMOTIONS = ("neutral", "sadness", "anger", "happiness")
COLUMNS = ("utterance", "path", "speaker", "gender", "session", "scenario", "emotion", "duration")
SUFFIXES = (".wav", ".flac")

LENGTH_TOLERANCE = 3  # samples at 16 kHz: how far IEMOCAP's wavs are from their labelled times
SHOWN = 5  # problems written out in one error

PAIRING_NOTE = (
    "Sessions pair one woman and one man in sorted order: the study's own choice, the publisher pairs nobody."
)


@dataclass(frozen=True)
class Recording:
    """One utterance as its corpus describes it, before its audio has been opened."""

    utterance: str
    path: Path
    speaker: str
    gender: str
    session: int
    scenario: str
    emotion: str
    labelled_seconds: float | None = None  # end minus start in the label file, where the corpus has times


def build(
    corpus: str,
    root: Path,
    recordings: Iterable[Recording],
    *,
    options: dict | None = None,
    notes: Iterable[str] = (),
    progress: bool = False,
) -> pandas.DataFrame:
    """Open every recording once, check it, and write the table.

    Args:
        corpus: the corpus's name, part of the fingerprint.
        root: its folder, for messages only.
        recordings: the selected utterances, in any order.
        options: the choices that led to the selection, part of the fingerprint.
        notes: what a reader of the numbers must know.
        progress: show a progress bar on stderr.

    Returns:
        Columns as ``COLUMNS``, sorted by utterance; ``attrs`` holds corpus, fingerprint, options and notes.

    Raises:
        SerError: two recordings share a name, or an audio file is unfit; the first few are named, all are counted.
    """
    recordings = sorted(recordings, key=lambda recording: recording.utterance)
    if not recordings:
        raise SerError(f"{corpus} at {root}: holds no utterance of the four emotions; check that the copy is whole")
    problems = [
        f"{first.utterance}: occurs twice, as {first.path} and {second.path}; keep one of them"
        for first, second in itertools.pairwise(recordings)
        if first.utterance == second.utterance
    ]
    durations, digests = [], []
    for recording in with_progress(recordings, f"checking {corpus}", progress):
        try:
            duration, digest = examine(recording)
        except SerError as error:
            problems.append(str(error))
        else:
            durations.append(duration)
            digests.append(digest)
    complain(corpus, root, problems)
    table = pandas.DataFrame(
        {
            "utterance": [recording.utterance for recording in recordings],
            "path": [str(recording.path.absolute()) for recording in recordings],
            "speaker": [recording.speaker for recording in recordings],
            "gender": [recording.gender for recording in recordings],
            "session": [recording.session for recording in recordings],
            "scenario": [recording.scenario for recording in recordings],
            "emotion": [recording.emotion for recording in recordings],
            "duration": durations,
        },
        columns=list(COLUMNS),
    )
    options = dict(options or {})
    table.attrs = {
        "corpus": corpus,
        "fingerprint": fingerprint(corpus, options, table, digests),
        "options": options,
        "notes": [*notes, *duplicate_notes(table["utterance"], digests)],
    }
    return table


def examine(recording: Recording) -> tuple[float, str]:
    """Duration in seconds and digest of the decoded samples (wav and flac of the same audio agree)."""
    samples, rate = audio.read(recording.path)
    duration = len(samples) / rate
    if recording.labelled_seconds is not None:
        found, expected = round(duration * audio.SAMPLE_RATE), round(recording.labelled_seconds * audio.SAMPLE_RATE)
        if abs(found - expected) > LENGTH_TOLERANCE:
            raise SerError(
                f"{recording.path}: has {found} samples at 16 kHz but its labelled times span {expected} "
                f"(more than {LENGTH_TOLERANCE} apart); {audio.COPY_AGAIN}"
            )
    digest = hashlib.sha256(str(rate).encode())
    digest.update(samples.astype("<f4", copy=False).tobytes())
    return duration, digest.hexdigest()


def fingerprint(corpus: str, options: dict, table: pandas.DataFrame, digests: list[str]) -> str:
    """Twelve hex digits that change with the corpus, its selection, any label or any sample, but not with its place."""
    rows = [list(row) for row in table.drop(columns="path").itertuples(index=False, name=None)]
    text = json.dumps([corpus, options, rows, digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def duplicate_notes(utterances: Iterable[str], digests: Iterable[str]) -> list[str]:
    """One note for each recording that lies in the corpus under more than one name: a fault of the release."""
    names = defaultdict(list)
    for utterance, digest in zip(utterances, digests, strict=True):
        names[digest].append(utterance)
    return [f"The same recording under {len(same)} names: {listing(same)}." for same in names.values() if len(same) > 1]


def counts(table: pandas.DataFrame) -> pandas.DataFrame:
    """Utterances by speaker and emotion.

    Args:
        table: a corpus's table.

    Returns:
        Integers; index ``speaker`` ordered by session, then women before men; columns the four emotions and ``total``.
    """
    speakers = table[["session", "gender", "speaker"]].drop_duplicates().sort_values(["session", "gender", "speaker"])
    cells = pandas.crosstab(table["speaker"], table["emotion"])
    cells = cells.reindex(index=speakers["speaker"].to_numpy(), columns=list(EMOTIONS), fill_value=0)
    cells = cells.rename_axis(index="speaker", columns=None)
    return cells.assign(total=cells.sum(axis=1))


def complain(corpus: str, root: Path, problems: list[str]) -> None:
    """Raise one error that names the first few problems and counts them all; do nothing when there is none."""
    if problems:
        number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise SerError(f"{corpus} at {root}: {number}: {listing(problems, '; ')}")


def listing(items: Iterable, separator: str = ", ") -> str:
    """The first few items, and how many more there are."""
    items = [str(item) for item in items]
    more = [f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return separator.join([*items[:SHOWN], *more])


def settle(root: Path, allow_partial: bool, missing: list[str], problems: list[str], notes: list[str]) -> None:
    """What is missing from a corpus is a problem, unless a partial corpus is allowed: then it is a note.

    Notes are kept with every run: they are short, and do not say where on a machine the corpus lies.
    """
    if allow_partial and missing:
        notes.append(f"Partial corpus: {listing(missing, '; ')}.".replace(f"{root}/", ""))
    else:
        problems.extend(
            f"{text}; copy the whole release, or allow a partial corpus (allow_partial=True, "
            f"--allow-partial) to go on without"
            for text in missing
        )


def differences(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    """Every entry of ``expected`` that is found with another number, in words."""
    return [
        f"{name}: expected {number}, found {found.get(name, 0)}"
        for name, number in expected.items()
        if found.get(name, 0) != number
    ]


def locate(corpus: str, root: str | Path, recognises: Callable[[Path], bool], layout: str) -> Path:
    """The corpus's folder, or an error that points at the right level when the wrong one was given.

    Args:
        corpus: name for messages.
        root: what the user gave.
        recognises: whether a folder is the corpus's top folder.
        layout: what that folder holds, in words.

    Raises:
        SerError: the folder does not exist, is a file, or is not the corpus's top folder.
    """
    root = Path(root).expanduser().absolute()
    if not root.exists():
        raise SerError(f"{corpus}: there is no folder {root}; pass the folder that holds {layout}")
    if root.is_dir() and recognises(root):
        return root
    for folder in nearby(root):
        try:
            meant = recognises(folder)
        except OSError:  # a folder that may not be looked into is not the one
            continue
        if meant:
            raise SerError(f"{corpus}: {root} is not the corpus's top folder; it looks like you meant {folder}")
    raise SerError(f"{corpus}: {root} does not hold this corpus; pass the folder that holds {layout}")


def nearby(root: Path) -> Iterable[Path]:
    """Folders at most four levels above and two below ``root``, nearest first."""
    yield from root.parents[:4]
    below = _readable_subfolders(root)
    yield from below
    for folder in below:
        yield from _readable_subfolders(folder)


def subfolders(folder: Path) -> list[Path]:
    """Visible folders directly inside ``folder``, sorted.

    Raises:
        OSError: it cannot be read.
    """
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _readable_subfolders(folder: Path) -> list[Path]:
    """As :func:`subfolders`, for looking around: none where it cannot be read."""
    try:
        return subfolders(folder)
    except OSError:
        return []


def audio_files(folder: Path, problems: list[str]) -> dict[str, Path]:
    """Wav and flac files directly inside ``folder`` by name without suffix; hidden and AppleDouble files are not audio.

    A recording that lies there twice, as wav and as flac, is added to ``problems``.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or path.is_dir():
            continue
        if path.stem in files:
            problems.append(f"{path.stem}: occurs twice, as {files[path.stem]} and {path}; keep one of them")
        files[path.stem] = path
    return files


def with_progress(items: list, text: str, progress: bool) -> Iterable:
    """The same items, behind a progress bar when one is wanted."""
    # Quick enough to be shown to a person only: a log keeps no trace of it.
    return tqdm(items, desc=text, unit="file", leave=False, disable=None if progress else True)
