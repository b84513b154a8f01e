"""Utterances warped per second, on one thread, 4 kHz: the product, two ordinary ways, and nlpaug where it is installed.

    python benchmarks/vtlp.py --root /path/to/emodb

The first 16 utterances of Emo-DB, one alpha each, repetitions interleaved. nlpaug (`pip install nlpaug librosa`) warps
waveforms, by way of a spectrogram and back; its time is of what it offers. Writes benchmarks/vtlp.json.
"""

import importlib.util
import statistics
import time
from pathlib import Path
from typing import Annotated

import report
import torch
import typer
from torch import nn

from ser_lib import audio, corpora, features, vtlp
from ser_lib.strip import Layout, lay

BATCH, BINS = 16, features.BINS[4]


def gather_and_lerp(batch: torch.Tensor, alphas: torch.Tensor) -> torch.Tensor:
    """Warp (batch, time, frequency) by gathering along the last axis, as one would write it first."""
    bins = batch.shape[2]
    position = vtlp.source_frequency(torch.linspace(0, 1, bins).double(), alphas[:, None]).clamp(0, 1) * (bins - 1)
    below = position.floor().clamp(max=bins - 2)
    index = below.long()[:, None].expand_as(batch)
    weight = (position - below).float()[:, None]
    return torch.lerp(batch.gather(2, index), batch.gather(2, index + 1), weight)


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
    repetitions: int = 31,
) -> None:
    """Measure and write the medians."""
    torch.set_num_threads(1)
    paths = corpora.load("emodb", root)["path"][:BATCH]
    waves = [audio.load(path) for path in paths]
    pictures = [features.spectrogram(wave)[:BINS] for wave in waves]
    strip = lay(torch.tensor([picture.shape[1] for picture in pictures]), Layout(4, 4))
    room = torch.zeros(BINS, strip.width)
    places = [room[:, start : start + length] for start, length in strip.places()]
    padded = nn.utils.rnn.pad_sequence([picture.T for picture in pictures], batch_first=True)
    alphas = vtlp.draw_alphas(BATCH, torch.Generator().manual_seed(0))
    torch.testing.assert_close(gather_and_lerp(padded, alphas), vtlp.warp(padded, alphas), rtol=0, atol=1e-3)
    ways = {
        "into a strip": lambda: vtlp.warp_into(places, pictures, alphas),
        "rows of a padded batch": lambda: vtlp.warp_rows(padded.transpose(1, 2).contiguous(), alphas),
        "gather along the last axis": lambda: gather_and_lerp(padded, alphas),
    }
    if importlib.util.find_spec("nlpaug") and importlib.util.find_spec("librosa"):
        from nlpaug.augmenter.audio import VtlpAug

        augmenter = VtlpAug(sampling_rate=audio.SAMPLE_RATE, zone=(0, 1), coverage=1, factor=vtlp.ALPHA_RANGE)
        ways["nlpaug"] = lambda: [augmenter.augment(wave) for wave in waves]
    times: dict[str, list[float]] = {way: [] for way in ways}
    for repetition in range(-1, repetitions):  # one to warm up
        for way, function in ways.items():
            if way == "nlpaug" and repetition > 2:  # seconds each
                continue
            start = time.perf_counter()
            function()
            if repetition >= 0:
                times[way].append(time.perf_counter() - start)
    rates = {way: round(BATCH / statistics.median(values), 1) for way, values in times.items()}
    result = {
        "utterances_per_second": rates,
        "over_nlpaug": round(rates["into a strip"] / rates["nlpaug"]) if "nlpaug" in rates else "not measured",
        "frames": sum(picture.shape[1] for picture in pictures),
    }
    report.write("vtlp", result)


if __name__ == "__main__":
    typer.run(main)
