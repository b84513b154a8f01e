"""The network: convolutions, Bi-LSTM layers, a dense layer with softmax (Section 3, Fig. 2).

No padding is ever seen. Convolutions make it non-zero (bias, ReLU), and the next kernel would carry it into valid
frames, so that it is cleared after every one; the Bi-LSTM reads packed sequences, and only valid steps are aggregated.
An utterance therefore scores the same alone and in any batch.
"""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_lib.recurrent_bn import BatchNormLSTM


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

    Source: Section 3 and Fig. 2. Filters, kernels, strides, units and aggregation are not stated there.
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
        features, lengths = self.convolve(pictures, lengths)
        outputs, state = self.recur(features, lengths)
        if self.aggregation == "last":
            summary = torch.cat([state[-2], state[-1]], dim=1)
        else:
            summary = outputs.sum(dim=1) / lengths.unsqueeze(1)
        return self.dense(summary)

    def convolve(self, pictures: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The convolutional module: (batch, frequency, time) -> (batch, steps, features), and the valid steps."""
        # What lies behind an utterance may be anything, NaN included: it is replaced here, and multiplied away below.
        padding = ~valid_frames(pictures.shape[-1], lengths).unsqueeze(1)
        maps = pictures.masked_fill(padding, 0).unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            lengths = strided_length(lengths, convolution.stride[1])
            maps = torch.relu_(clear_padding(convolution(maps), lengths))
            if self.pooling == "max":  # zeros behind an utterance are never above what ReLU leaves
                maps = functional.max_pool2d(maps, stride, ceil_mode=True)
                lengths = strided_length(lengths, stride[1])
        return maps.permute(0, 3, 1, 2).flatten(2), lengths

    def recur(self, features: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The recurrent module: outputs (batch, steps, 2 hidden_size), zero behind each length, and the last states."""
        if isinstance(self.lstm, BatchNormLSTM):
            outputs, (state, _) = self.lstm(features, lengths)
            return outputs, state
        packed = pack_padded_sequence(features, lengths.cpu(), batch_first=True, enforce_sorted=False)
        outputs, (state, _) = self.lstm(packed)
        return pad_packed_sequence(outputs, batch_first=True)[0], state


def strided_length(length, stride: int):
    """What a convolution with an odd kernel and half a kernel of padding leaves of a length: ceil(length / stride)."""
    return (length + stride - 1) // stride


def receptive_field(kernels: Sequence[tuple[int, int]], strides: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """How many (bins, frames) of the spectrogram one output of the convolutions sees, without pooling."""
    field, jump = [1, 1], [1, 1]
    for kernel, stride in zip(kernels, strides, strict=True):
        for axis in (0, 1):
            field[axis] += (kernel[axis] - 1) * jump[axis]
            jump[axis] *= stride[axis]
    return field[0], field[1]


def valid_frames(time: int, lengths: torch.Tensor) -> torch.Tensor:
    """Which of so many frames belong to each utterance: lengths (batch,) -> bool, shape (batch, time)."""
    return torch.arange(time, device=lengths.device) < lengths.unsqueeze(1)


def clear_padding(maps: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Set every frame behind an utterance's length to zero, in place: (batch, channels, frequency, time), (batch,)."""
    return maps.mul_(valid_frames(maps.shape[-1], lengths)[:, None, None, :])


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
