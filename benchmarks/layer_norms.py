"""What it costs to record gradient, weight and update norms of every layer in every step (Fig. 3).

    python benchmarks/layer_norms.py

writes ``benchmarks/layer_norms.json``: median milliseconds of processor time of a training step of ``table1-baseline``
with and without, in turns, on one thread, and the median of the ratios. The spectrograms are noise, with lengths as in
Emo-DB, roughly: what is in them does not matter for the time that a step takes.
"""

import statistics
import time

import report
import torch
from torch.nn import functional

from ser_lib import training
from ser_lib.experiments import EXPERIMENTS
from ser_lib.features import BINS
from ser_lib.model import layer_of

BATCHES = 60
LENGTHS = torch.linspace(40, 200, 16).long()
"""Frames of the utterances of a batch."""


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    experiment = EXPERIMENTS["table1-baseline"]
    model = training.build_model(experiment).train()
    optimizer = training.build_optimizer(model, experiment)
    layers: dict[str, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        layers.setdefault(layer_of(name), []).append(parameter)

    def step(recorded: bool) -> float:
        pictures = torch.randn(len(LENGTHS), BINS[experiment.frequency_range], int(LENGTHS.max()))
        labels = torch.randint(4, (len(LENGTHS),))
        start = time.process_time()
        loss = functional.cross_entropy(model(pictures, LENGTHS), labels)
        optimizer.zero_grad()
        loss.backward()
        norms = (training.gradient_norms(layers), training.weight_norms(layers)) if recorded else None
        optimizer.step()
        if norms:
            torch.stack([optimizer.update_norm(members) for members in layers.values()])
        return 1000 * (time.process_time() - start)

    for recorded in (False, True):
        step(recorded)
    times = [(step(False), step(True)) for _ in range(BATCHES)]
    without, with_norms = (statistics.median(column) for column in zip(*times, strict=True))
    result = {
        "experiment": "table1-baseline",
        "steps": BATCHES,
        "without_ms": round(without, 2),
        "with_ms": round(with_norms, 2),
        "ratio": round(statistics.median(second / first for first, second in times), 3),
    }
    report.write("layer_norms", result)


if __name__ == "__main__":
    main()
