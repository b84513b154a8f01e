"""Little corpora for the loaders to trip over."""

import zlib
from pathlib import Path

import numpy
import pytest
import soundfile


class Files:
    """Writes short recordings of noise, each file its own."""

    def audio(self, path: Path, samples: int = 1600, rate: int = 16_000, seed: int | None = None, **options) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        random = numpy.random.default_rng(zlib.crc32(path.stem.encode()) if seed is None else seed)
        soundfile.write(path, random.integers(-9000, 9000, samples, dtype=numpy.int16), rate, **options)
        return path


class Release(Files):
    """A release in IEMOCAP's layout, one dialog after the other; 1104 samples are 0.0690 s exactly."""

    def __init__(self, root: Path):
        self.root = root

    def labels(self, dialog: str) -> Path:
        return self.root / f"Session{int(dialog[3:5])}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"

    def wav(self, turn: str) -> Path:
        dialog = turn.rpartition("_")[0]
        return self.root / f"Session{int(turn[3:5])}" / "sentences" / "wav" / dialog / f"{turn}.wav"

    def dialog(self, dialog: str, turns: dict[str, str], samples: int = 1104) -> None:
        """Write a dialog; ``turns`` maps F000, M003, ... to emotion codes."""
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for number, (turn, code) in enumerate(turns.items()):
            lines += [
                self.line(f"{dialog}_{turn}", code, number, samples),
                "C-E2:\tNeutral;\t()",
                "C-F1:\tAnger; Other;\t(a self-evaluation)",
                "A-E4:\tval 2; act 3; dom  3;\t()",
                "A-M1:\tval 2; act 3;\t(no dom)",
                "",
            ]
            self.audio(self.wav(f"{dialog}_{turn}"), samples)
        self.labels(dialog).parent.mkdir(parents=True, exist_ok=True)
        self.labels(dialog).write_text("\n".join(lines))

    def line(self, turn: str, code: str, start: float = 0, samples: int = 1104) -> str:
        return f"[{start:.4f} - {start + samples / 16_000:.4f}]\t{turn}\t{code}\t[2.5000, 2.5000, 2.5000]"

    def add_line(self, dialog: str, line: str) -> int:
        """Append one line to a label file and return its number."""
        text = self.labels(dialog).read_text() + line
        self.labels(dialog).write_text(text + "\n")
        return text.count("\n") + 1


@pytest.fixture(scope="session")
def files() -> Files:
    return Files()


@pytest.fixture
def release(tmp_path) -> Release:
    """Two small dialogs of session 1 in IEMOCAP's layout; partial, of course."""
    release = Release(tmp_path / "copies" / "IEMOCAP_full_release")
    release.dialog("Ses01F_impro01", {"F000": "neu", "M000": "sad", "M001": "xxx", "F001": "exc", "F002": "hap"})
    release.dialog("Ses01M_script01_1", {"F000": "ang", "M000": "neu"})
    return release


@pytest.fixture(scope="session")
def make_release():
    return Release
