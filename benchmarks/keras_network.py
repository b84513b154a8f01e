"""The same network in Keras 3 on TensorFlow, as its users write it: for each line read, the seconds of an epoch of
``train_on_batch`` and of one of ``fit``, which waits for its queue besides.

    python benchmarks/keras_network.py CASE.npz

The file holds batches, weights, and the logits that these must give, which is checked first. TensorFlow stays out of
the process that measures, so that neither library changes the other's threads.
"""

import os
import sys
import time

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class Steps(layers.Layer):
    """Which steps are valid: (lengths) and maps (batch, time, frequency, channels) -> (batch, time)."""

    def call(self, maps, lengths):
        return ops.arange(ops.shape(maps)[1])[None] < lengths[:, None]


def build(bins: int, weights: dict[str, np.ndarray], strides: np.ndarray, hidden_size: int) -> keras.Model:
    """The network, with weights as PyTorch keeps them."""
    pictures = keras.Input((None, bins))
    lengths = keras.Input((), dtype="int32")
    maps, valid = layers.Reshape((-1, bins, 1))(pictures), lengths
    for number, (over_bins, over_time) in enumerate(strides.tolist()):
        kernel = weights[f"convolutions.{number}.weight"].transpose(3, 2, 1, 0)  # (time, frequency, in, out)
        convolution = layers.Conv2D(kernel.shape[3], kernel.shape[:2], (over_time, over_bins), activation="relu")
        # Keras's own "same" padding lies elsewhere when there are strides.
        maps = convolution(layers.ZeroPadding2D((kernel.shape[0] // 2, kernel.shape[1] // 2))(maps))
        convolution.set_weights([kernel, weights[f"convolutions.{number}.bias"]])
        valid = (valid + (over_time - 1)) // over_time
        mask = Steps()(maps, valid)
        maps = maps * ops.cast(mask, maps.dtype)[:, :, None, None]
    frames = layers.Reshape((-1, maps.shape[2] * maps.shape[3]))(layers.Permute((1, 3, 2))(maps))  # PyTorch's order
    lstm = layers.Bidirectional(layers.LSTM(hidden_size, return_sequences=True))
    outputs = layers.GlobalAveragePooling1D()(lstm(frames, mask=mask), mask=mask)
    of_lstm = []
    for suffix in ("", "_reverse"):
        input_, recurrent, bias_ih, bias_hh = (
            weights[f"lstm.{kind}_l0{suffix}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        of_lstm += [input_.T, recurrent.T, bias_ih + bias_hh]
    lstm.set_weights(of_lstm)
    dense = layers.Dense(len(weights["dense.bias"]))
    logits = dense(outputs)
    dense.set_weights([weights["dense.weight"].T, weights["dense.bias"]])
    return keras.Model([pictures, lengths], logits)


class Batches(keras.utils.PyDataset):
    """Batches as model.fit takes them."""

    def __init__(self, batches: list) -> None:
        super().__init__()
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int):
        return self.batches[number]


def main(file: str) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    case = dict(np.load(file))
    weights = {key.removeprefix("weight "): value for key, value in case.items() if key.startswith("weight ")}
    batches = [
        ((case[f"pictures {number}"].transpose(0, 2, 1), case[f"lengths {number}"]), case[f"labels {number}"])
        for number in range(sum(key.startswith("pictures") for key in case))
    ]
    model = build(case["pictures 0"].shape[1], weights, case["strides"], int(case["hidden_size"]))
    np.testing.assert_allclose(model(batches[0][0]).numpy(), case["logits"], rtol=0, atol=1e-4)
    settings = {name: float(case[name]) for name in ("learning_rate", "momentum", "weight_decay")}
    model.compile(keras.optimizers.SGD(**settings), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    dataset = Batches(batches)
    ways = lambda: [model.train_on_batch(*batch) for batch in batches], lambda: model.fit(dataset, verbose=0)
    for _ in sys.stdin:
        seconds = []
        for epoch in ways:
            start = time.perf_counter()
            epoch()
            seconds.append(time.perf_counter() - start)
        print(*seconds, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
