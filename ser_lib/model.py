"""The network: convolutions, Bi-LSTM layers, a dense layer with softmax (Section 3, Fig. 2).

No padding is ever seen. The convolutions work on a strip, utterances end to end with gaps that are cleared after every
one; the Bi-LSTM reads packed frames, and only valid steps are aggregated. An utterance therefore scores the same alone
and in any batch.
"""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from ser_lib.recurrence import pack, run_lstm
from ser_lib.recurrent_bn import BatchNormLSTM
from ser_lib.strip import ClearedReLU, Strip, channels_last, lay, layout, strided_length


class ConvLSTM(nn.Module):
    """Convolutions over frequency and time, then Bi-LSTM layers over time, then one score per class.

    Args:
        bins: frequency bins of the spectrogram.
        filters: output channels of each convolution.
        kernels: (frequency, time) size of each kernel; odd, so that a frame keeps its place.
        strides: by how much each convolution reduces (frequency, time).
        pooling: what reduces it: ``none`` is the convolution's own stride, ``max`` is max pooling behind a convolution
            without stride.
        hidden_size: units of each Bi-LSTM layer and direction.
        lstm_layers: number of Bi-LSTM layers.
        aggregation: how the Bi-LSTM's outputs become one vector: their ``mean`` over valid steps, or the ``last`` state
            of each direction.
        recurrent_normalisation: ``none``, or the scope of recurrent batch normalisation (:class:`BatchNormLSTM`).
        statistics_momentum: momentum of its running statistics.
        classes: number of emotions.

    Source: Section 3 and Fig. 2 (of which its words alone were at hand). Filters, kernels, strides, units and
    aggregation are not stated in the text.
    """

    def __init__(
        self,
        bins: int,
        filters: Sequence[int],
        kernels: Sequence[tuple[int, int]],
        strides: Sequence[tuple[int, int]],
        hidden_size: int,
        lstm_layers: int,
        aggregation: str = "mean",
        pooling: str = "none",
        recurrent_normalisation: str = "none",
        statistics_momentum: float | None = None,
        classes: int = 4,
    ) -> None:
        super().__init__()
        self.bins = bins
        self.aggregation = aggregation
        self.pooling = pooling
        self.strides = tuple(strides)
        self.layout = layout([kernel[1] for kernel in kernels], [stride[1] for stride in strides])
        self.convolutions = nn.ModuleList()
        channels, height = 1, bins
        for out_channels, kernel, stride in zip(filters, kernels, strides, strict=True):
            padding = (kernel[0] // 2, kernel[1] // 2)
            convolution = nn.Conv2d(channels, out_channels, kernel, stride if pooling == "none" else 1, padding)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            nn.init.zeros_(convolution.bias)
            self.convolutions.append(convolution)
            channels, height = out_channels, strided_length(height, stride[0])
        size = (channels * height, hidden_size, lstm_layers)
        if recurrent_normalisation == "none":
            self.lstm = nn.LSTM(*size, batch_first=True, bidirectional=True)
        else:
            self.lstm = BatchNormLSTM(
                *size, bidirectional=True, scope=recurrent_normalisation, momentum=statistics_momentum
            )
        self.dense = nn.Linear(2 * hidden_size, classes)

    def forward(self, pictures: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Scores of each class, before the softmax.

        Args:
            pictures: normalised spectrograms, float32, shape (batch, frequency, time); what lies behind an utterance's
                length is ignored.
            lengths: frames of each utterance, int64, shape (batch,).

        Returns:
            Logits, float32, shape (batch, classes).
        """
        strip = lay(lengths.cpu(), self.layout)
        return self.score(strip.laid(pictures), strip)

    def score(self, picture: torch.Tensor, strip: Strip) -> torch.Tensor:
        """As :meth:`forward`, for a batch on a strip of the network's ``layout``, shape (frequency, width)."""
        features, strip = self.convolve(picture, strip)
        return self.dense(self.recur(features, strip))

    def convolve(self, picture: torch.Tensor, strip: Strip) -> tuple[torch.Tensor, Strip]:
        """The convolutional module: (frequency, width) -> (steps, features), and where the utterances lie in it."""
        maps = channels_last(picture)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            strip = strip.strided(convolution.stride[1])
            maps = ClearedReLU.apply(convolution(maps), strip.gaps().to(maps.device, non_blocking=True))
            if self.pooling == "max":  # zeros behind an utterance are never above what ReLU leaves
                maps = functional.max_pool2d(maps, stride, ceil_mode=True)
                strip = strip.strided(stride[1])
        return maps.squeeze(0).permute(2, 0, 1).flatten(1), strip

    def recur(self, features: torch.Tensor, strip: Strip) -> torch.Tensor:
        """The recurrent module and the aggregation over time: (steps, features) -> (batch, 2 hidden_size)."""
        packing = pack(strip.starts, strip.lengths).to(features.device)
        frames = features.index_select(0, packing.columns)
        if isinstance(self.lstm, BatchNormLSTM):
            outputs, (state, _) = self.lstm.run(frames, packing)
        else:
            outputs, state = run_lstm(self.lstm, frames, packing)
        return torch.cat([state[-2], state[-1]], dim=1) if self.aggregation == "last" else packing.mean(outputs)


def receptive_field(kernels: Sequence[tuple[int, int]], strides: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """How many (bins, frames) of the spectrogram one output of the convolutions sees, without pooling."""
    field, jump = [1, 1], [1, 1]
    for kernel, stride in zip(kernels, strides, strict=True):
        for axis in (0, 1):
            field[axis] += (kernel[axis] - 1) * jump[axis]
            jump[axis] *= stride[axis]
    return field[0], field[1]


def layer_of(parameter: str) -> str:
    """The layer that a parameter belongs to, as the pages call it: conv 1, ..., lstm 1, ..., dense."""
    kind, _, rest = parameter.partition(".")
    if kind == "convolutions":
        return f"conv {int(rest.split('.')[0]) + 1}"
    if kind == "lstm":
        return f"lstm {int(rest.removesuffix('_reverse').rsplit('_l', 1)[1]) + 1}"
    return kind


def describe(model: ConvLSTM, frames: int = 108) -> pd.DataFrame:
    """Layer by layer: output shape, parameters, multiply-adds for one utterance.

    Args:
        model: the network.
        frames: length of the utterance; the default is the median of IEMOCAP's improvised part.

    Returns:
        One row per layer with ``layer``, ``output``, ``parameters`` and ``multiply_adds``, and a row ``total``.
    """
    rows = []
    channels, height, time = 1, model.bins, frames
    for number, (layer, stride) in enumerate(zip(model.convolutions, model.strides, strict=True), start=1):
        channels = layer.out_channels
        places = strided_length(height, layer.stride[0]) * strided_length(time, layer.stride[1])
        height, time = strided_length(height, stride[0]), strided_length(time, stride[1])
        shape = f"{channels} × {height} × {time}"
        rows.append((f"conv {number}", shape, _parameters(layer), layer.weight.numel() * places))
    for number in range(model.lstm.num_layers):
        weights = [p for name, p in model.lstm.named_parameters() if layer_of(f"lstm.{name}") == f"lstm {number + 1}"]
        products = sum(weight.numel() for weight in weights if weight.dim() == 2)
        parameters = sum(weight.numel() for weight in weights)
        rows.append((f"lstm {number + 1}", f"{2 * model.lstm.hidden_size} × {time}", parameters, products * time))
    dense = model.dense
    rows.append(("dense", f"{dense.out_features}", _parameters(dense), dense.weight.numel()))
    table = pd.DataFrame(rows, columns=["layer", "output", "parameters", "multiply_adds"])
    total = pd.DataFrame(
        [("total", "", table["parameters"].sum(), table["multiply_adds"].sum())], columns=table.columns
    )
    return pd.concat([table, total], ignore_index=True)


def _parameters(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())
