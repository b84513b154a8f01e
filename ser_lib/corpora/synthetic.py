"""A synthetic corpus in exactly IEMOCAP's layout, for developing and testing without a licence.

It is synthetic: buzzing syllables from a glottal pulse source and formant resonators, with emotions whose prosody was
made up here. It has the shape and the traps of IEMOCAP's release (marker wearers who are not the speakers, letter
dialogs, AppleDouble files, odd evaluator lines) and is loaded by the IEMOCAP loader. No score on it is evidence about
speech, about emotion, or about the paper.

Every speaker has a vocal tract length of their own (all formants scaled by one factor), so that vocal tract length
perturbation has something real to do. The bytes depend on nothing but ``SEED`` and this file.
"""

import io
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy
import pandas
import scipy
import soundfile

from ser_lib import paths
from ser_lib.audio import SAMPLE_RATE
from ser_lib.corpora import iemocap, table
from ser_lib.errors import SerError
from ser_lib.files import write_folder

SEED = 2018
VERSION = "1"  # raise it whenever the bytes change
README = iemocap.SYNTHETIC_README

STEP = 320  # samples: the voice changes every 20 ms
SHORTEST, LONGEST = 0.71, 5.99  # seconds


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker."""

    pitch: float  # Hz
    tract: float  # factor on all formants: the inverse of the vocal tract's length
    level: float  # dB, distance to the microphone


VOICES = {
    "1F": Voice(205, 1.13, 0.0),
    "1M": Voice(118, 1.00, 0.6),
    "2F": Voice(222, 1.18, -0.8),
    "2M": Voice(104, 0.95, 0.2),
    "3F": Voice(196, 1.10, 0.9),
    "3M": Voice(127, 1.03, -0.5),
    "4F": Voice(214, 1.15, -0.3),
    "4M": Voice(112, 0.97, 1.0),
    "5F": Voice(231, 1.20, 0.4),
    "5M": Voice(135, 1.05, -1.0),
}


@dataclass(frozen=True)
class Prosody:
    """How one emotion sounds on average; every utterance differs from it by ``SPREAD``."""

    pitch: float  # semitones above the speaker's own
    melody: float  # semitones, size of the movement from syllable to syllable
    slope: float  # semitones per second; negative is declination
    rate: float  # syllables per second
    pauses: float  # probability of a pause after a syllable
    level: float  # dB
    tilt: float  # pole of the low-pass on the source; nearer to 1 is duller
    breath: float  # noise beside the voice


SPREAD = Prosody(pitch=1.3, melody=0.4, slope=0.4, rate=0.5, pauses=0.04, level=1.6, tilt=0.04, breath=0.012)
PROSODIES = {
    "neu": Prosody(0.0, 1.2, -0.8, 4.3, 0.10, -26.5, 0.78, 0.03),
    "sad": Prosody(-1.0, 0.9, -1.2, 3.4, 0.22, -31.0, 0.90, 0.08),
    "ang": Prosody(2.5, 2.2, -0.6, 5.0, 0.05, -22.0, 0.52, 0.02),
    "hap": Prosody(4.5, 3.4, 0.8, 4.6, 0.08, -24.5, 0.68, 0.07),
    "exc": Prosody(4.0, 3.2, 0.8, 5.2, 0.06, -22.5, 0.64, 0.04),
    "fru": Prosody(1.2, 1.7, -0.8, 4.5, 0.10, -24.5, 0.68, 0.03),
    "sur": Prosody(4.5, 3.5, 2.0, 4.5, 0.08, -24.0, 0.70, 0.05),
}
AMBIGUOUS = ("neu", "sad", "fru", "exc")  # what a turn without majority ("xxx") sounds like, at random

FORMANTS = {  # Hz, of a tract factor of 1
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (270, 2290, 3010, 3600),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3300),
}
BANDWIDTHS = (80.0, 100.0, 140.0, 200.0)  # Hz

OTHER_IMPROVISED = {"exc": 3, "fru": 3, "xxx": 3, "sur": 1}  # of each speaker
SCRIPTED = {"neu": 1, "sad": 1, "ang": 1, "hap": 1, "exc": 1, "fru": 1}  # of each speaker
# Dialogs by wearer of the markers; letters after the number, as some of the published names have them.
DIALOGS = {"F": ("impro01", "impro02", "script01_1"), "M": ("impro01", "impro02", "script01_1")}
LETTER_DIALOGS = {"03M": ("impro05a", "impro08b", "script01_1"), "05M": ("impro01", "impro02", "script01_1b")}


@dataclass(frozen=True)
class Turn:
    """One turn to be written; times in seconds, samples at 16 kHz."""

    name: str
    dialog: str
    session: int
    speaker: str
    code: str
    start: float
    end: float
    samples: int


def load(
    root: str | Path,
    *,
    allow_partial: bool = False,
    scenarios: str = "improvised",
    merge_excited: bool = False,
    progress: bool = False,
) -> pandas.DataFrame:
    """Write the synthetic release where it is not there yet, then read it as IEMOCAP is read.

    See :func:`ser_lib.corpora.load`.

    Raises:
        SerError: as :func:`ser_lib.corpora.iemocap.read`, or the folder was written by another version, or cannot be
            written.
    """
    root = Path(root)
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        write(root)
    check_version(root)
    return iemocap.read(
        "synthetic",
        root,
        expected(),
        allow_partial=allow_partial,
        scenarios=scenarios,
        merge_excited=merge_excited,
        progress=progress,
    )


def default_root() -> Path:
    """Where the synthetic release is kept when nobody says otherwise."""
    return paths.data_folder() / "synthetic"


def check_version(root: Path) -> None:
    """Refuse a release that is not synthetic, or that another version of this file wrote."""
    readme = root / README
    if iemocap.recognises(root) and not readme.is_file():
        raise SerError(
            f"synthetic at {root}: has no {README}, so this is not the synthetic corpus; pass a folder that "
            f"is absent, to have it written there, or load IEMOCAP by the name iemocap"
        )
    if readme.is_file() and readme.read_text(encoding="utf-8") != readme_text():
        raise SerError(
            f"synthetic at {root}: was written by another version of this code (see {readme}); remove the "
            f"folder and it is written again"
        )


def write(root: str | Path) -> Path:
    """Write the synthetic release, whole or not at all; when another process was faster, keep what it wrote.

    Args:
        root: the folder to make, absent or empty.

    Returns:
        The folder.

    Raises:
        SerError: the folder cannot be written.
    """
    root = Path(root).absolute()
    remedy = "free some space, or pass another folder (root, --root, or the environment variable SER_DATA)"
    write_folder(root, README, write_release, remedy)
    return root


def write_release(root: Path) -> None:
    """Write every session into an existing folder."""
    turns = plan()
    for dialog in sorted({turn.dialog for turn in turns}):
        write_dialog(root, [turn for turn in turns if turn.dialog == dialog])
    (root / README).write_text(readme_text(), encoding="utf-8")


def readme_text() -> str:
    """What somebody who comes across the folder must know."""
    return (
        f"SYNTHETIC corpus in the layout of IEMOCAP, written by ser_lib, version {VERSION}, seed {SEED}.\n"
        f"It holds no human speech and is no evidence about speech. It can be removed and written again.\n"
    )


@cache
def expected() -> iemocap.Expected:
    """How many utterances the release holds: known from its plan, not from its files."""
    turns = [turn for turn in plan() if iemocap.CODES[turn.code] in (*table.EMOTIONS, "excitement")]
    cells = Counter((turn.speaker, iemocap.CODES[turn.code]) for turn in turns if "_impro" in turn.dialog)
    improvised = pandas.DataFrame(
        {emotion: [cells[speaker, emotion] for speaker in VOICES] for emotion in (*table.EMOTIONS, "excitement")},
        index=list(VOICES),
    )
    return iemocap.Expected(improvised, Counter(iemocap.CODES[turn.code] for turn in turns))


@cache
def plan() -> tuple[Turn, ...]:
    """Every turn of the release: who says what emotion, in which dialog, when.

    The improvised cells are IEMOCAP's published counts divided by ten, and at least 2.
    """
    random = numpy.random.default_rng([SEED, 0])
    turns = []
    for session in iemocap.SESSIONS:
        speakers = (f"{session}F", f"{session}M")
        improvised = [(speaker, code) for speaker in speakers for code in improvised_codes(speaker)]
        scripted = [(speaker, code) for speaker in speakers for code in Counter(SCRIPTED).elements()]
        for kind, parts in (("impro", improvised), ("script", scripted)):
            dialogs = [dialog for dialog in session_dialogs(session) if f"_{kind}" in dialog]
            order = random.permutation(len(parts))
            for number, dialog in enumerate(dialogs):
                turns += dialog_plan(dialog, session, [parts[i] for i in order[number :: len(dialogs)]], random)
    return tuple(turns)


def improvised_codes(speaker: str) -> list[str]:
    """The label codes of one speaker's improvised turns."""
    row = iemocap.PUBLISHED_COUNTS.loc[speaker]
    four = {code: max(2, round(int(row[iemocap.CODES[code]]) / 10)) for code in ("neu", "sad", "ang", "hap")}
    return list(Counter(four | OTHER_IMPROVISED).elements())


def session_dialogs(session: int) -> list[str]:
    """Names of a session's dialogs: in half of them the woman wears the markers, in half the man."""
    prefixes = [(f"{session:02d}{wearer}", names) for wearer, names in DIALOGS.items()]
    return [f"Ses{prefix}_{name}" for prefix, names in prefixes for name in LETTER_DIALOGS.get(prefix, names)]


def dialog_plan(dialog: str, session: int, parts: list[tuple[str, str]], random: numpy.random.Generator) -> list[Turn]:
    """Turns of one dialog, one after the other, numbered for each speaker as IEMOCAP numbers them."""
    turns, numbers, now = [], Counter(), float(random.uniform(3, 8))
    for speaker, code in parts:
        seconds = float(numpy.clip(random.lognormal(0.62, 0.5), SHORTEST, LONGEST))
        start, end = round(now, 4), round(now + seconds, 4)
        # Published wavs are up to three samples away from their labelled times.
        samples = round((end - start) * SAMPLE_RATE) + int(random.integers(-2, 3))
        name = f"{dialog}_{speaker[-1]}{numbers[speaker]:03d}"
        turns.append(Turn(name, dialog, session, speaker, code, start, end, samples))
        numbers[speaker] += 1
        now = end + float(random.uniform(0.1, 1.5))
    return turns


def write_dialog(root: Path, turns: list[Turn]) -> None:
    """Write one dialog's audio, labels and transcription, with the AppleDouble files of a copy made on a Mac."""
    dialog, session = turns[0].dialog, root / f"Session{turns[0].session}"
    wavs = session / "sentences" / "wav" / dialog
    labels = session / "dialog" / "EmoEvaluation"
    transcriptions = session / "dialog" / "transcriptions"
    for folder in (wavs, transcriptions, *(labels / name for name in ("Attribute", "Categorical", "Self-evaluation"))):
        folder.mkdir(parents=True, exist_ok=True)
    for turn in turns:
        (wavs / f"{turn.name}.wav").write_bytes(wav_bytes(speak(turn)))
    attributes = [f"{turn.name} :act 3; :val  3; :dom  ; ()" for turn in turns]
    categories = [f"{turn.name} :Neutral; ()" for turn in turns]
    words = [f"{turn.name} [{turn.start:08.4f}-{turn.end:08.4f}]: (synthetic syllables)" for turn in turns]
    for path, lines in {
        labels / f"{dialog}.txt": label_lines(turns),
        labels / "Attribute" / f"{dialog}_e2_atr.txt": attributes,
        labels / "Categorical" / f"{dialog}_e2_cat.txt": categories,
        labels / "Self-evaluation" / f"{dialog}_f.txt": categories,
        transcriptions / f"{dialog}.txt": words,
    }.items():
        path.write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))
    for twin in (labels / f"._{dialog}.txt", wavs / f"._{turns[0].name}.wav"):
        twin.write_bytes(bytes.fromhex("00051607") + bytes(78))


def wav_bytes(samples: numpy.ndarray) -> bytes:
    """A wav file in memory: writing it in one go makes a full disk an OSError, which libsndfile would not."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def label_lines(turns: list[Turn]) -> list[str]:
    """Lines of an EmoEvaluation file, with the published quirks: two spaces, self-evaluations, no dom now and then."""
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    for number, turn in enumerate(turns):
        words = iemocap.CODES[turn.code].capitalize()
        votes = ("Neutral", "Other", "Frustration") if turn.code == "xxx" else (words, words, "Neutral")
        lines += [f"[{turn.start:.4f} - {turn.end:.4f}]\t{turn.name}\t{turn.code}\t[2.5000, 3.0000, 2.5000]"]
        lines += [f"C-E{evaluator}:\t{vote};\t()" for evaluator, vote in zip((2, 3, 4), votes, strict=True)]
        lines += [f"C-{turn.speaker[-1]}1:\t{votes[0]}; Anger;\t()"]
        lines += ["A-E3:\tval 3; act 3; dom  3;\t()" if number % 5 else "A-E3:\tval 3; act 3;\t(no dominance)"]
        lines += ["A-E4:\tval 2; act 3; dom  2;\t(synthetic)", f"A-{turn.speaker[-1]}1:\tval 3; act 2; dom  3;\t()", ""]
    return lines


def speak(turn: Turn) -> numpy.ndarray:
    """The audio of one turn, int16 of shape ``(turn.samples,)``; depends on the turn's name and label only."""
    random = numpy.random.default_rng([SEED, zlib.crc32(turn.name.encode())])
    voice = VOICES[turn.speaker]
    code = str(random.choice(AMBIGUOUS)) if turn.code == "xxx" else turn.code
    prosody = vary(PROSODIES[code], random)
    steps = turn.samples // STEP + 1
    tracks = articulate(prosody, steps, random)
    pitch = voice.pitch * 2 ** ((prosody.pitch + tracks["melody"]) / 12)
    source = glottal_pulses(pitch, random)
    source = scipy.signal.lfilter([1 - prosody.tilt], [1, -prosody.tilt], source)
    source = source / numpy.sqrt(numpy.mean(source**2))
    noise = random.standard_normal(steps * STEP)
    excitation = per_sample(tracks["voiced"]) * (source + prosody.breath * 4 * noise)
    speech = resonate(excitation, tracks["formants"] * voice.tract)
    speech = speech / numpy.sqrt(numpy.mean(speech**2))
    hiss = scipy.signal.lfilter([1, -0.95], [1, 0.3], random.standard_normal(steps * STEP))
    signal = speech + 0.25 * per_sample(tracks["fricative"]) * hiss
    signal = signal * 10 ** ((prosody.level + voice.level) / 20)
    room = 10 ** (-62 / 20) * scipy.signal.lfilter([0.3], [1, -0.7], random.standard_normal(steps * STEP))
    return numpy.round(numpy.clip(signal + room, -0.999, 0.999)[: turn.samples] * 32767).astype(numpy.int16)


def vary(prosody: Prosody, random: numpy.random.Generator) -> Prosody:
    """One utterance's own prosody, kept inside what the synthesiser can do."""
    values = {name: value + getattr(SPREAD, name) * random.standard_normal() for name, value in vars(prosody).items()}
    limits = {
        "melody": (0.3, 6),
        "rate": (2, 8),
        "pauses": (0, 0.5),
        "level": (-40, -14),
        "tilt": (0.2, 0.96),
        "breath": (0.005, 0.3),
    }
    return Prosody(
        **{name: float(numpy.clip(value, *limits.get(name, (-numpy.inf, numpy.inf)))) for name, value in values.items()}
    )


def articulate(prosody: Prosody, steps: int, random: numpy.random.Generator) -> dict[str, numpy.ndarray]:
    """Syllables as tracks, one value each 20 ms: voiced and fricative amplitude, melody (semitones), formants (Hz)."""
    voiced, fricative = numpy.zeros(steps), numpy.zeros(steps)
    melody, formants = numpy.zeros(steps), numpy.zeros((steps, len(BANDWIDTHS)))
    vowels, at = list(FORMANTS), 0
    while at < steps:
        length = max(3, round(50 / prosody.rate * random.uniform(0.75, 1.3)))
        onset = int(random.uniform(0.15, 0.4) * length) if random.random() < 0.7 else 0
        end = at + length
        formants[at:end] = numpy.array(FORMANTS[vowels[random.integers(len(vowels))]]) * random.normal(1, 0.04)
        melody[at:end] = prosody.melody * random.standard_normal()
        fricative[at : at + onset] = random.uniform(0.3, 1.0) if random.random() < 0.6 else 0
        voiced[at + onset : end] = random.uniform(0.6, 1.0)
        at = end
        if random.random() < prosody.pauses:
            pause = int(random.uniform(5, 15))
            formants[at : at + pause] = formants[end - 1 if end <= steps else -1]
            at += pause
    time = numpy.arange(steps) * STEP / SAMPLE_RATE
    melody = smooth(melody, 5) + prosody.slope * (time - time.mean())
    return {
        "voiced": smooth(voiced, 3),
        "fricative": smooth(fricative, 3),
        "melody": melody,
        "formants": numpy.stack([smooth(formant, 3) for formant in formants.T], axis=1),
    }


def smooth(track: numpy.ndarray, width: int) -> numpy.ndarray:
    """Moving average over an odd number of values, with the ends held."""
    padded = numpy.pad(track, width // 2, mode="edge")
    return numpy.convolve(padded, numpy.full(width, 1 / width), mode="valid")


def per_sample(track: numpy.ndarray) -> numpy.ndarray:
    """A track of one value each 20 ms as one value each sample, straight lines in between."""
    return numpy.interp(numpy.arange(len(track) * STEP), numpy.arange(len(track)) * STEP, track)


def glottal_pulses(pitch: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Derivative of a Rosenberg glottal flow with jitter; pitch in Hz each 20 ms, samples at 16 kHz."""
    jittered = pitch * (1 + 0.012 * random.standard_normal(len(pitch)))
    phase = numpy.cumsum(per_sample(jittered)) / SAMPLE_RATE % 1
    opening = 0.5 * (1 - numpy.cos(numpy.pi * phase / 0.4))
    closing = numpy.cos(numpy.pi / 2 * (phase - 0.4) / 0.16)
    flow = numpy.where(phase < 0.4, opening, numpy.where(phase < 0.56, closing, 0.0))
    return numpy.diff(flow, prepend=0.0)


def resonate(excitation: numpy.ndarray, formants: numpy.ndarray) -> numpy.ndarray:
    """Send the excitation through a cascade of resonators whose frequencies (Hz) change every 20 ms."""
    radius = numpy.exp(-numpy.pi * numpy.array(BANDWIDTHS) / SAMPLE_RATE)
    poles = -2 * radius * numpy.cos(2 * numpy.pi * formants / SAMPLE_RATE)
    cascade = numpy.ones((len(formants), 1))  # denominator of the whole cascade in every step, one product
    for first, second in zip(poles.T, radius**2, strict=True):
        longer = numpy.pad(cascade, ((0, 0), (0, 2)))
        longer[:, 1:-1] += first[:, None] * cascade
        longer[:, 2:] += second * cascade
        cascade = longer
    gains = numpy.prod(1 + poles + radius**2, axis=1)  # so that 0 Hz passes unchanged
    output = numpy.empty_like(excitation)
    state = numpy.zeros(cascade.shape[1] - 1)
    for step, (gain, denominator) in enumerate(zip(gains, cascade, strict=True)):
        part = slice(step * STEP, (step + 1) * STEP)
        output[part], state = scipy.signal.lfilter([gain], denominator, excitation[part], zi=state)
    return output
