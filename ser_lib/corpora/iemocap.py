"""IEMOCAP (Busso et al. 2008): English, improvised and scripted dialogs of ten actors; the paper's corpus.

The release is licensed and cannot be shipped; what is written here are aggregates from public descriptions and public
annotation counts, and from the paper. None was read from the release itself, which was not at hand: loading it compares
it with them, speaker by speaker and emotion by emotion. The paper's selection (Section 1.1): improvised turns labelled
neutral, sadness, anger or happiness, excitement not merged into happiness.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas

from ser_lib.corpora import table
from ser_lib.errors import SerError

SESSIONS = (1, 2, 3, 4, 5)
CODES = {
    "neu": "neutral",
    "sad": "sadness",
    "ang": "anger",
    "hap": "happiness",
    "exc": "excitement",
    "fru": "frustration",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
    "xxx": "no majority",
}
SCENARIOS = {"impro": "improvised", "script": "scripted"}
SYNTHETIC_README = "SYNTHETIC.txt"  # marks a release of this layout that is not IEMOCAP
LAYOUT = "the folders Session1 to Session5"

DIALOG = re.compile(r"Ses(?P<session>\d\d)(?P<wearer>[FM])_(?P<kind>impro|script)\d\d(?:_\d+)?[a-z]?")
# The speaker is the letter before the last digits, wherever that letter stands: letter dialogs (Ses03M_impro05a) move
# it, and the letter beside the session only says who wears the motion-capture markers.
TURN = re.compile(rf"(?P<dialog>{DIALOG.pattern})_(?P<speaker>[FM])\d+")
LABEL_LINE = re.compile(
    r"\[(?P<start>\d+(?:\.\d+)?) - (?P<end>\d+(?:\.\d+)?)\]\t(?P<turn>\S+)\t(?P<code>\S+)\t"
    r"\[-?\d+(?:\.\d+)?, -?\d+(?:\.\d+)?, -?\d+(?:\.\d+)?\]\s*"
)

# Improvised utterances of the release by speaker and label; "labelled" counts every label.
PUBLISHED_COUNTS = pandas.DataFrame(
    {
        "neutral": [119, 104, 90, 127, 95, 103, 51, 123, 151, 136],
        "sadness": [43, 61, 63, 37, 108, 82, 41, 40, 73, 60],
        "anger": [37, 25, 7, 15, 22, 68, 47, 37, 18, 13],
        "happiness": [18, 15, 25, 29, 39, 21, 10, 21, 56, 50],
        "excitement": [54, 45, 88, 49, 41, 48, 119, 45, 68, 106],
        "frustration": [39, 65, 68, 72, 121, 94, 126, 179, 95, 112],
        "no majority": [71, 54, 40, 66, 96, 84, 104, 106, 78, 101],
        "labelled": [383, 376, 389, 399, 535, 509, 505, 555, 550, 583],
    },
    index=pandas.Index(["1F", "1M", "2F", "2M", "3F", "3M", "4F", "4M", "5F", "5M"], name="speaker"),
)
# Utterances of the release by label code: improvised dialogs only (4784), and all dialogs (10,039).
PUBLISHED_IMPROVISED_LABELS = {
    "neu": 1099,
    "fru": 971,
    "xxx": 800,
    "exc": 663,
    "sad": 608,
    "ang": 289,
    "hap": 284,
    "sur": 60,
    "fea": 8,
    "dis": 1,
    "oth": 1,
}
PUBLISHED_LABELS = {
    "xxx": 2507,
    "fru": 1849,
    "neu": 1708,
    "ang": 1103,
    "sad": 1084,
    "exc": 1041,
    "hap": 595,
    "sur": 107,
    "fea": 40,
    "oth": 3,
    "dis": 2,
}


@dataclass(frozen=True)
class Expected:
    """How many utterances a whole release holds; emotions are the paper's four and ``excitement``."""

    improvised: pandas.DataFrame  # index speaker, columns emotions
    everything: dict[str, int]  # by emotion, improvised and scripted together


PUBLISHED = Expected(PUBLISHED_COUNTS, {CODES[code]: number for code, number in PUBLISHED_LABELS.items()})


@dataclass(frozen=True)
class Turn:
    """One labelled turn of a dialog, with its audio file."""

    name: str
    path: Path
    session: int
    gender: str
    scenario: str
    emotion: str
    seconds: float


def load(
    root: str | Path,
    *,
    allow_partial: bool = False,
    scenarios: str = "improvised",
    merge_excited: bool = False,
    progress: bool = False,
) -> pandas.DataFrame:
    """Read IEMOCAP from its published layout and hold it against its published counts.

    See :func:`ser_lib.corpora.load`; the whole default selection is 2280 utterances (5531 with all scenarios and
    excitement merged into happiness).
    """
    if (Path(root) / SYNTHETIC_README).is_file():
        raise SerError(
            f"iemocap at {root}: this is the synthetic corpus, whose numbers must never pass for IEMOCAP's; "
            f"load it by the name synthetic"
        )
    return read(
        "iemocap",
        root,
        PUBLISHED,
        allow_partial=allow_partial,
        scenarios=scenarios,
        merge_excited=merge_excited,
        progress=progress,
    )


def read(
    corpus: str,
    root: str | Path,
    expected: Expected,
    *,
    allow_partial: bool,
    scenarios: str,
    merge_excited: bool,
    progress: bool,
) -> pandas.DataFrame:
    """Read a release in IEMOCAP's layout.

    Args:
        corpus: the corpus's name.
        root: the folder that holds ``Session1`` to ``Session5``.
        expected: what the whole release holds.
        allow_partial: say in the notes what is missing or counted otherwise, and go on.
        scenarios: "improvised" or "all".
        merge_excited: count excitement as happiness.
        progress: show a progress bar on stderr.

    Returns:
        The table of utterances; speakers are "1F", "1M", ... "5M".

    Raises:
        SerError: wrong folder; malformed, doubled or misplaced labels; labels and audio that do not match; unfit audio;
            a release that is not whole.
        OSError: a folder or a file of labels may not be read: it is not taken for one that is missing.
    """
    root = table.locate(corpus, root, recognises, LAYOUT)
    problems, missing, notes, turns = [], [], [], []
    present = [session for session in SESSIONS if all(part.is_dir() for part in session_parts(root, session))]
    for session in SESSIONS:
        labels, wavs = session_parts(root, session)
        if session in present:
            turns += session_turns(labels, wavs, session, problems, missing)
        else:
            missing.append(f"session {session} is missing ({labels} and {wavs} must both be there)")
    recordings = select(turns, scenarios, merge_excited)
    if not problems:  # a count is only worth comparing when every label could be read
        missing += count_differences(expected, recordings, present, scenarios, merge_excited)
    table.settle(root, allow_partial, missing, problems, notes)
    table.complain(corpus, root, problems)
    options = {"scenarios": scenarios, "merge_excited": merge_excited}
    return table.build(corpus, root, recordings, options=options, notes=notes, progress=progress)


def session_parts(root: Path, session: int) -> tuple[Path, Path]:
    """A session's folders of label files and of dialogs' audio."""
    folder = root / f"Session{session}"
    return folder / "dialog" / "EmoEvaluation", folder / "sentences" / "wav"


def session_turns(labels: Path, wavs: Path, session: int, problems: list[str], missing: list[str]) -> list[Turn]:
    """Every labelled turn of one session that has its audio; what is wrong or missing goes into the two lists."""
    entries = sorted(labels.iterdir())  # not glob, which finds nothing in a folder that may not be read
    label_files = {path.stem: path for path in entries if path.suffix == ".txt" and not path.name.startswith(".")}
    wav_folders = {path.name: path for path in table.subfolders(wavs)}
    turns = []
    for dialog in sorted(label_files.keys() | wav_folders.keys()):
        place = label_files.get(dialog) or wav_folders[dialog]
        parts = DIALOG.fullmatch(dialog)
        if parts is None:
            problems.append(f"{place}: is not named for a dialog (as Ses01F_impro01); move it out of the release")
        elif int(parts["session"]) != session:
            problems.append(
                f"{place}: is a dialog of another session than {session}; move it to Session{int(parts['session'])}"
            )
        elif dialog not in wav_folders:
            missing.append(f"labels without audio: {place} has no folder {wavs / dialog}")
        elif dialog not in label_files:
            missing.append(f"audio without labels: {place} has no file {labels / dialog}.txt")
        else:
            turns += dialog_turns(label_files[dialog], wav_folders[dialog], problems, missing)
    return turns


def dialog_turns(label_file: Path, wav_folder: Path, problems: list[str], missing: list[str]) -> list[Turn]:
    """The labelled turns of one dialog, matched with the audio files of its folder."""
    files = table.audio_files(wav_folder, problems)
    turns, seen = [], {}
    # Evaluators' comments are free text in whatever encoding; the lines that are read here are plain ASCII.
    for number, line in enumerate(label_file.read_text(encoding="latin-1").split("\n"), start=1):
        if not line.startswith("["):
            continue
        place = f"{label_file} line {number}"
        label = LABEL_LINE.fullmatch(line)
        if label is None:
            problems.append(
                f"{place}: malformed label line {line.strip()!r}; it should read "
                f"[start - end]<TAB>turn<TAB>emotion<TAB>[valence, activation, dominance]; put back the "
                f"published file"
            )
            continue
        name = label["turn"]
        problem = label_problem(label, label_file.stem, seen)
        seen.setdefault(name, number)
        if problem:
            problems.append(f"{place}: {problem}; put back the published file")
        elif name not in files:
            missing.append(f"label without audio: {name} ({place}) has no file {wav_folder / name}.wav")
        else:
            parts = TURN.fullmatch(name)
            turns.append(
                Turn(
                    name,
                    files[name],
                    int(parts["session"]),
                    parts["speaker"],
                    SCENARIOS[parts["kind"]],
                    CODES[label["code"]],
                    float(label["end"]) - float(label["start"]),
                )
            )
    missing += [
        f"audio without label: {path} has no line in {label_file}" for name, path in files.items() if name not in seen
    ]
    return turns


def label_problem(label: re.Match, dialog: str, seen: dict[str, int]) -> str | None:
    """What is wrong with one well-formed label line, if anything."""
    name, parts = label["turn"], TURN.fullmatch(label["turn"])
    if parts is None:
        return f"{name} is not the name of a turn (as Ses01F_impro01_F000)"
    if parts["dialog"] != dialog:
        return f"{name} is a turn of another dialog than {dialog}"
    if name in seen:
        return f"{name} is labelled twice, first in line {seen[name]}"
    if label["code"] not in CODES:
        return f"{name} has the unknown emotion code {label['code']!r} (known: {' '.join(CODES)})"
    if float(label["end"]) <= float(label["start"]):
        return f"{name} ends at {label['end']} s, not after its start at {label['start']} s"
    return None


def select(turns: Iterable[Turn], scenarios: str, merge_excited: bool) -> list[table.Recording]:
    """The turns of the wanted scenarios that carry one of the four emotions."""
    recordings = []
    for turn in turns:
        emotion = "happiness" if merge_excited and turn.emotion == "excitement" else turn.emotion
        if emotion in table.EMOTIONS and scenarios in (turn.scenario, "all"):
            recordings.append(
                table.Recording(
                    turn.name,
                    turn.path,
                    f"{turn.session}{turn.gender}",
                    turn.gender,
                    turn.session,
                    turn.scenario,
                    emotion,
                    turn.seconds,
                )
            )
    return recordings


def count_differences(
    expected: Expected, recordings: list[table.Recording], present: list[int], scenarios: str, merge_excited: bool
) -> list[str]:
    """In words, where the selection differs from the whole release; only the sessions present are compared."""
    if scenarios == "all":
        if len(present) < len(SESSIONS):
            return []  # scripted turns are published by label only, not by session
        wanted = merged(expected.everything, merge_excited)
        found = Counter(recording.emotion for recording in recordings)
    else:
        wanted = {
            f"{speaker} {emotion}": number
            for speaker, row in expected.improvised.iterrows()
            if int(speaker[0]) in present
            for emotion, number in merged(row.to_dict(), merge_excited).items()
        }
        found = Counter(f"{recording.speaker} {recording.emotion}" for recording in recordings)
    cells = table.differences(wanted, found)
    if not cells:
        return []
    return [f"{len(recordings)} utterances where the whole release has {sum(wanted.values())} ({', '.join(cells)})"]


def merged(numbers: dict[str, int], merge_excited: bool) -> dict[str, int]:
    """The four emotions' numbers, with excitement added to happiness when it is merged."""
    four = {emotion: int(numbers[emotion]) for emotion in table.EMOTIONS}
    if merge_excited:
        four["happiness"] += int(numbers["excitement"])
    return four


def recognises(folder: Path) -> bool:
    """Whether this is the release's top folder: one of its sessions lies in it."""
    return any(
        (folder / f"Session{session}" / part).is_dir() for session in SESSIONS for part in ("dialog", "sentences")
    )
