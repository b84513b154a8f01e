"""The same network as :mod:`ser_lib.model`, as most people write it: what the product is measured against.

Spectrograms are padded to the longest of their batch, convolved in PyTorch's default memory format, masked after every
convolution (without which it would be another network), packed for nn.LSTM and padded again.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_lib.experiments import Experiment
from ser_lib.features import BINS
from ser_lib.model import ConvLSTM
from ser_lib.strip import strided_length


class OrdinaryConvLSTM(nn.Module):
    """The network of an experiment without pooling and without recurrent batch normalisation."""

    def __init__(self, experiment: Experiment, classes: int = 4) -> None:
        super().__init__()
        channels, height = 1, BINS[experiment.frequency_range]
        self.convolutions = nn.ModuleList()
        for filters, kernel, stride in zip(experiment.filters, experiment.kernels, experiment.strides, strict=True):
            self.convolutions.append(nn.Conv2d(channels, filters, kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
            channels, height = filters, strided_length(height, stride[0])
        self.lstm = nn.LSTM(
            channels * height, experiment.hidden_size, experiment.lstm_layers, batch_first=True, bidirectional=True
        )
        self.dense = nn.Linear(2 * experiment.hidden_size, classes)

    def forward(self, pictures: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits, as :meth:`ser_lib.model.ConvLSTM.forward`."""
        maps = pictures.unsqueeze(1)
        for convolution in self.convolutions:
            maps = functional.relu(convolution(maps))
            lengths = strided_length(lengths, convolution.stride[1])
            maps = maps * (torch.arange(maps.shape[3]) < lengths.unsqueeze(1))[:, None, None]
        features = maps.flatten(1, 2).transpose(1, 2)
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.dense(outputs.sum(dim=1) / lengths.unsqueeze(1))

    @classmethod
    def like(cls, model: ConvLSTM, experiment: Experiment) -> "OrdinaryConvLSTM":
        """One with the weights of the product's network."""
        ordinary = cls(experiment, model.dense.out_features).to(model.dense.weight.dtype)
        ordinary.load_state_dict(model.state_dict())
        return ordinary
