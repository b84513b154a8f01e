"""Every experiment by name, as data: one frozen, typed configuration each (Table 1; Section 3).

A field is one choice. Its description says what the paper states, and, where the paper is silent, what is taken here
and why; the book's page of settings is made from these descriptions.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ser_lib.errors import SerError

Pair = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


def _setting(default: Any, meaning: str, paper: str, reason: str = "", **limits: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"paper": paper, "reason": reason}, **limits)


class Experiment(BaseModel):
    """The configuration of an experiment; unknown keys and values out of range are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    frequency_range: Literal[4, 8] = _setting(4, "upper end of the spectrogram, kHz", "4 or 8 (Table 1)")
    floor_db: float = _setting(
        -80.0,
        "smallest level that a spectrogram keeps, dB below a full-scale sine",
        "not stated, nor whether magnitudes are logarithmic",
        "a round number, not searched; it cuts the quietest pixels, more of them above 4 kHz than below",
        ge=-200,
        lt=0,
        allow_inf_nan=False,
    )
    normalisation: Literal["dataset", "training"] = _setting(
        "dataset",
        "whose pixels give mean and variance of eq. 2",
        "the whole dataset (Section 3), the test speaker included",
        "as the paper; `training` is the strict variant",
    )
    vtlp: Literal["none", "epoch", "utterance"] = _setting(
        "none",
        "who shares a warp factor in training",
        "one per epoch, validation unwarped; or one per utterance, validation too (Section 2; the second is reported)",
    )
    test_copies: Literal[1, 11] = _setting(
        1, "warped copies of a test utterance that vote", "11 with augmentation (Section 2)", "1 without augmentation"
    )
    oversampling: int = _setting(1, "how often happiness and anger occur in training", "1 or 2 (Table 1)", ge=1, le=8)
    filters: tuple[Annotated[int, Field(ge=1)], ...] = _setting(
        (16, 24, 32, 32),
        "output channels of each convolution",
        "not stated",
        "the better of two networks on Emo-DB's validation speakers (benchmarks/network_choice.csv)",
        min_length=1,
        max_length=6,
    )
    kernels: tuple[Pair, ...] = _setting(
        ((5, 5), (3, 3), (3, 3), (3, 3)),
        "size of each kernel (frequency, time), odd",
        "not stated",
        "small kernels are cheap; the first one spans 78 Hz and 192 ms",
    )
    strides: tuple[Pair, ...] = _setting(
        ((4, 2), (2, 2), (2, 1), (2, 1)),
        "stride of each convolution (frequency, time)",
        "used, but not stated",
        "instead of pooling; early strides save most: 32 times fewer bins, 4 times fewer steps for the Bi-LSTM",
    )
    hidden_size: int = _setting(
        128,
        "units of a Bi-LSTM layer and direction",
        "not stated",
        "the better of two networks on Emo-DB's validation speakers (benchmarks/network_choice.csv)",
        ge=1,
    )
    lstm_layers: int = _setting(1, "Bi-LSTM layers", "1 to 4; 1 is best (Section 3)", ge=1, le=4)
    aggregation: Literal["mean", "last"] = _setting(
        "mean",
        "how the Bi-LSTM's outputs over time become one vector",
        "not stated",
        "every step counts the same, however long the utterance",
    )
    batch_size: int = _setting(16, "utterances in a batch", "16 (Section 3, printed with its footnote as 164)", ge=1)
    learning_rate: float = _setting(
        0.01,
        "step size of the optimizer, constant",
        "not stated",
        "the usual first choice with momentum 0.9; the training loss falls steadily",
        gt=0,
        allow_inf_nan=False,
    )
    momentum: float = _setting(0.9, "momentum of the optimizer", "used, but not stated", "the usual value", ge=0, lt=1)
    weight_decay: float = _setting(
        1e-4,
        "L2 factor: adds weight_decay × w to the gradient of every weight matrix",
        "used, but not stated",
        "the usual value for small convolutional networks",
        ge=0,
        allow_inf_nan=False,
    )
    epochs: int = _setting(
        30, "passes over the training part, at the most", "not stated", "the training loss is near zero by then", ge=1
    )
    patience: int = _setting(
        10,
        "epochs without a better validation score after which training stops",
        "not stated",
        "longer than the validation score takes to recover from a chance dip",
        ge=1,
    )

    @model_validator(mode="after")
    def _layers_agree(self) -> "Experiment":
        if not len(self.filters) == len(self.kernels) == len(self.strides):
            raise ValueError(
                f"filters, kernels and strides must name the same number of convolutions, "
                f"not {len(self.filters)}, {len(self.kernels)} and {len(self.strides)}"
            )
        if any(size % 2 == 0 for kernel in self.kernels for size in kernel):
            raise ValueError(f"kernels must be odd, so that a frame keeps its place: {self.kernels}")
        return self

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any setting."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()[:12]

    def with_settings(self, **settings: Any) -> "Experiment":
        """A copy with some settings changed, checked like any other.

        Raises:
            SerError: a key is unknown or a value out of range.
        """
        for key in settings:
            if key not in Experiment.model_fields:
                raise SerError(f"there is no setting {key!r}{suggestion(key, Experiment.model_fields)}")
        try:
            return Experiment(**{**self.model_dump(), **settings})
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "settings"
            raise SerError(
                f"{where}: {first['msg'].removeprefix('Value error, ')} (given: {first['input']!r})"
            ) from None


BASELINE = Experiment()
VTLP = {"vtlp": "utterance", "test_copies": 11}

EXPERIMENTS: Mapping[str, Experiment] = {
    "table1-baseline": BASELINE,
    "table1-oversampling": BASELINE.with_settings(oversampling=2),
    "table1-vtlp": BASELINE.with_settings(oversampling=2, **VTLP),
    "table1-best": BASELINE.with_settings(oversampling=2, **VTLP, frequency_range=8),
    "quick": BASELINE.with_settings(oversampling=2, **VTLP, epochs=15),
}
"""Name of each experiment -> its configuration."""


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """``["epochs=2", "vtlp=none"]`` -> ``{"epochs": 2, "vtlp": "none"}``; values are JSON, or else plain words.

    Raises:
        SerError: an assignment lacks its ``=``, or a key is given twice.
    """
    settings: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SerError(f"{assignment!r} is not KEY=VALUE, such as epochs=2")
        if key in settings:
            raise SerError(f"setting {key!r} is given twice")
        try:
            settings[key] = json.loads(value)
        except json.JSONDecodeError:
            settings[key] = value
    return settings


def find_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        SerError: there is none; the message suggests the nearest name.
    """
    if name not in EXPERIMENTS:
        raise SerError(f"there is no experiment {name!r}{suggestion(name, EXPERIMENTS)}")
    return EXPERIMENTS[name]


def suggestion(word: str, known: Mapping[str, Any]) -> str:
    """': did you mean ...' for a misspelt word, followed by all that is known."""
    near = difflib.get_close_matches(str(word), known, n=1)
    return (f"; did you mean {near[0]!r}?" if near else "") + f" Known: {', '.join(known)}"
