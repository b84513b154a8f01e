"""Reading one recording: decoding, checking, resampling to 16 kHz, the rate of IEMOCAP."""

import importlib
import math
import os
import struct
import sys
import types
from functools import cache
from pathlib import Path

import numpy
import soundfile

from ser_lib.errors import SerError

SAMPLE_RATE = 16_000
WINDOW = 1024  # samples: the 64 ms analysis window (Section 3); a recording shorter than this has no frame at all

COPY_AGAIN = "copy it again from the publisher's release"


def read(path: str | Path) -> tuple[numpy.ndarray, int]:
    """Decode one mono wav or flac file at its own sampling rate, refusing whatever could not be used.

    Args:
        path: the file.

    Returns:
        Samples, float32 of shape ``(n,)`` in [-1, 1], and the sampling rate in Hz.

    Raises:
        SerError: the file is missing, empty, truncated, not audio, not mono, NaN or infinite, silent, or shorter than
            one analysis window; the message names the file and the remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise SerError(f"{path}: there is no such file; {COPY_AGAIN}")
    if path.stat().st_size == 0:
        raise SerError(f"{path}: the file is empty (0 bytes); {COPY_AGAIN}")
    check_length_promised(path)
    try:
        with soundfile.SoundFile(path) as file:
            frames, channels, rate = file.frames, file.channels, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise SerError(f"{path}: cannot be read as wav or flac audio ({str(error).strip()}); {COPY_AGAIN}") from error
    if channels != 1:
        raise SerError(
            f"{path}: has {channels} channels where one is expected; "
            f"convert it, for instance with: sox {path.name} -c 1 mono{path.suffix}"
        )
    if len(samples) < frames:
        raise SerError(f"{path}: is truncated, {len(samples)} of {frames} samples can be decoded; {COPY_AGAIN}")
    samples = samples[:, 0]
    if length_at_16_khz(len(samples), rate) < WINDOW:
        raise SerError(
            f"{path}: {len(samples)} samples at {rate} Hz are shorter than one analysis window "
            f"({WINDOW} samples at 16 kHz, 64 ms); {COPY_AGAIN}"
        )
    lowest, highest = samples.min(), samples.max()  # NaN is both of them, wherever it is
    if not (numpy.isfinite(lowest) and numpy.isfinite(highest)):
        raise SerError(f"{path}: holds samples that are not finite numbers (NaN or infinity); {COPY_AGAIN}")
    if lowest == highest:
        raise SerError(f"{path}: is silent, every sample has the same value; {COPY_AGAIN}")
    return samples, rate


def load(path: str | Path) -> numpy.ndarray:
    """Decode one recording and bring it to 16 kHz.

    Args:
        path: a mono wav or flac file of any sampling rate.

    Returns:
        Samples, float32 of shape ``(n,)`` at 16 kHz.

    Raises:
        SerError: as :func:`read`.
    """
    samples, rate = read(path)
    if rate == SAMPLE_RATE:
        return samples
    import torch

    resample = torchaudio_module().functional.resample
    return resample(torch.from_numpy(samples), rate, SAMPLE_RATE).numpy()


def length_at_16_khz(samples: int, rate: int) -> int:
    """Number of samples that a recording of ``samples`` at ``rate`` Hz has once it is resampled to 16 kHz."""
    return math.ceil(samples * SAMPLE_RATE / rate)


def check_length_promised(path: Path) -> None:
    """Refuse a wav whose header promises more bytes than the file has: libsndfile would quietly read what is left."""
    with open(path, "rb") as file:
        if file.read(4) != b"RIFF":
            return
        size = os.fstat(file.fileno()).st_size
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                present = size - file.tell()
                if present < length:
                    raise SerError(
                        f"{path}: is truncated, its header promises {length} bytes of samples and "
                        f"{present} are there; {COPY_AGAIN}"
                    )
                return
            file.seek(length + length % 2, os.SEEK_CUR)
    raise SerError(f"{path}: is truncated, the wav file ends before its samples begin; {COPY_AGAIN}")


@cache
def torchaudio_module() -> types.ModuleType:
    """torchaudio, also where its compiled extension (a CUDA build) does not fit the torch beside it.

    Only the pure-PyTorch parts are used here, transforms and functional, and they need no extension.
    """
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = extension_stub()
        return importlib.import_module("torchaudio")


def extension_stub() -> types.ModuleType:
    """What torchaudio's own modules import from its extension, answering that nothing compiled is available."""
    stub = types.ModuleType("torchaudio._extension")
    stub._IS_TORCHAUDIO_EXT_AVAILABLE = False
    stub._IS_ALIGN_AVAILABLE = False
    stub.fail_if_no_align = lambda function: function
    stub._load_lib = lambda name: False
    stub._check_cuda_version = lambda: None
    return stub
