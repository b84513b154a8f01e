"""Time of the batch-normalised Bi-LSTM: each scope against torch's own on packed sequences, and against a plain loop.

    python benchmarks/recurrence.py

One layer, both directions, 16 utterances of 20 to 140 frames and 288 features, float32, one thread. Times are the
processor's, and repetitions of all are interleaved, so that other work on the machine matters little and meets all
alike. Writes benchmarks/recurrence.json: medians, and medians of each repetition's ratio to torch's. Takes a minute.
"""

import time
from collections.abc import Callable

import pandas as pd
import report
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_lib.recurrence import pack, run_lstm
from ser_lib.recurrent_bn import SCOPES, BatchNormLSTM

FEATURES, HIDDEN_SIZES = 288, (128, 256)
LENGTHS = torch.linspace(20, 140, 16).long()
REPETITIONS = 21


def torch_lstm(lstm: nn.LSTM, x: torch.Tensor) -> torch.Tensor:
    """torch's LSTM without batch normalisation, on packed sequences."""
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]


def own_lstm(lstm: nn.LSTM, x: torch.Tensor) -> torch.Tensor:
    """The same LSTM by :mod:`ser_lib.recurrence`, as :mod:`ser_lib.model` has it."""
    batch, time_steps = x.shape[:2]
    packing = pack(time_steps * torch.arange(batch), LENGTHS)
    outputs, _ = run_lstm(lstm, x.flatten(0, 1)[packing.columns], packing)
    return packing.padded(outputs, batch, time_steps)


def plain_loop(model: BatchNormLSTM, x: torch.Tensor) -> torch.Tensor:
    """Eqs. 3-5, scope ``all``, as one would write them first: a loop over padded time steps, left to autograd."""
    valid = torch.arange(x.shape[1]) < LENGTHS.unsqueeze(1)
    reverse = torch.where(valid, LENGTHS.unsqueeze(1) - 1 - torch.arange(x.shape[1]), torch.arange(x.shape[1]))
    rows = torch.arange(len(x)).unsqueeze(1)
    outputs = []
    for suffix in model.suffixes:
        weight_ih, weight_hh, gain, shift = (
            getattr(model, f"{kind}_l0{suffix}") for kind in ("weight_ih", "weight_hh", "gain", "shift")
        )
        contribution = (x[rows, reverse] if suffix else x) @ weight_ih.T
        pixels = contribution[valid]
        mean, variance = pixels.mean(), pixels.var(correction=0)
        preactivations = (contribution - mean) / (variance + model.eps).sqrt() * gain + shift
        h = c = x.new_zeros(len(x), model.hidden_size)
        states = []
        for step, running in zip(preactivations.unbind(1), valid.T.unsqueeze(2), strict=True):
            i, f, g, o = (step + h @ weight_hh.T).chunk(4, dim=1)
            c = torch.where(running, f.sigmoid() * c + i.sigmoid() * g.tanh(), c)
            h = torch.where(running, o.sigmoid() * c.tanh(), h)
            states.append(h * running)
        result = torch.stack(states, dim=1)
        outputs.append(result[rows, reverse] if suffix else result)
    return torch.cat(outputs, dim=2)


def seconds(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[float, float, float]:
    """Forward, backward, and forward once more without gradients."""
    start = time.process_time()
    outputs = function(x)
    middle = time.process_time()
    outputs.sum(dim=1).square().sum().backward()
    end = time.process_time()
    with torch.inference_mode():
        function(x)
    return middle - start, end - middle, time.process_time() - end


def measure(hidden: int) -> dict:
    """Medians of all implementations at one size, in milliseconds, and their ratios to torch's."""
    x = torch.randn(len(LENGTHS), int(LENGTHS.max()), FEATURES, requires_grad=True)
    lstm = nn.LSTM(FEATURES, hidden, batch_first=True, bidirectional=True)
    models = {scope: BatchNormLSTM(FEATURES, hidden, bidirectional=True, scope=scope) for scope in SCOPES}
    functions = {"nn.LSTM": lambda x: torch_lstm(lstm, x)}
    functions["own, without normalisation"] = lambda x: own_lstm(lstm, x)
    functions |= {f"scope {scope}": lambda x, m=model: m(x, LENGTHS)[0] for scope, model in models.items()}
    functions["plain loop"] = lambda x: plain_loop(models["all"], x)
    torch.testing.assert_close(functions["nn.LSTM"](x), own_lstm(lstm, x), rtol=0, atol=1e-5)
    torch.testing.assert_close(functions["plain loop"](x), functions["scope all"](x), rtol=0, atol=1e-5)
    rows = []
    for repetition in range(-2, REPETITIONS):  # two to warm up
        for name, function in functions.items():
            forward, backward, inference = (1000 * time for time in seconds(function, x))
            rows.append((repetition, name, forward, backward, forward + backward, inference))
    columns = ["repetition", "name", "forward_ms", "backward_ms", "both_ms", "inference_ms"]
    times = pd.DataFrame(rows, columns=columns).query("repetition >= 0").set_index(["repetition", "name"])
    ratios = times[["both_ms", "inference_ms"]].div(times.xs("nn.LSTM", level="name"), level="repetition")
    ratios = ratios[["both_ms", "inference_ms"]].rename(columns=lambda name: name.replace("_ms", "_ratio"))
    medians = pd.concat([times.groupby("name").median().round(1), ratios.groupby("name").median().round(2)], axis=1)
    return {name: medians.loc[name].to_dict() for name in functions}


def main() -> None:
    """Measure each size and write the medians."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    result = {
        "batch": len(LENGTHS),
        "frames": int(LENGTHS.sum()),
        "shortest": int(LENGTHS.min()),
        "longest": int(LENGTHS.max()),
        "features": FEATURES,
        "repetitions": REPETITIONS,
        "hidden": {hidden: measure(hidden) for hidden in HIDDEN_SIZES},
    }
    report.write("recurrence", result)


if __name__ == "__main__":
    main()
