"""Every experiment by name, as data: one frozen, typed configuration each (Tables 1 and 3; Section 3).

A field is one choice. Its description says what the paper states, and, where the paper is silent, what is taken here
and why; the book's page of settings is made from these descriptions. Families say which experiments answer a question
together, and which other experiment each is compared with.
"""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ser_lib.errors import SerError, nearest, suggestion

Count = Annotated[int, Field(ge=1, strict=True)]
"""In a list, where `true` would be taken for 1 if this were not strict."""
Pair = tuple[Count, Count]

Schedule = Literal["constant", "cosine", "warmup"]
_LARGEST = 1e38
"""Of what multiplies weights and gradients: single precision holds little more (3.4e38)."""
PositiveRate = Annotated[float, Field(gt=0, le=_LARGEST, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


def _setting(default: Any, meaning: str, paper: str, reason: str = "", technique: bool = False, **limits: Any) -> Any:
    """A field of an experiment; ``technique`` says that its default means: without this technique."""
    extra = {"paper": paper, "reason": reason, "technique": technique}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


def _own(what: str) -> Any:
    """An update parameter of one module; None is the common one."""
    return _setting(None, f"{what}, if not the common one", "tried; no values stated (Section 3.1)", technique=True)


_NETWORK = (
    "of eleven networks the cheapest that was as good as the best on Emo-DB's validation speakers "
    "(benchmarks/network_choice.csv)"
)


class Experiment(BaseModel):
    """The configuration of an experiment; unknown keys and values out of range are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    normalisation: Literal["dataset", "training", "none"] = _setting(
        "dataset",
        "whose pixels give mean and variance of eq. 2",
        "the whole dataset (Section 3), the test speaker included",
        "as the paper; `training` is the strict variant, `none` leaves the spectrogram in dB",
    )
    vtlp: Literal["none", "epoch", "utterance"] = _setting(
        "none",
        "who shares a warp factor in training",
        "one per epoch, validation unwarped; or one per utterance, validation too (Section 2; the second is reported)",
    )
    test_copies: Literal[1, 11] = _setting(
        1,
        "warped copies of a test utterance that vote",
        '11 (Section 2); whether without augmentation, too, is not stated: Table 1 has "Augmentation during training"',
        "1 without augmentation; `vote-alone` is the other reading",
    )
    oversampling: int = _setting(1, "how often happiness and anger occur in training", "1 or 2 (Table 1)", ge=1, le=8)
    filters: tuple[Count, ...] = _setting(
        (16, 24, 32, 32),
        "output channels of each convolution",
        "not stated",
        _NETWORK,
        min_length=1,
        max_length=6,
    )
    kernels: tuple[Pair, ...] = _setting(
        ((5, 5), (3, 3), (3, 3), (3, 3)),
        "size of each kernel (frequency, time), odd",
        "not stated",
        "as the filters; small kernels are cheap, and the first one spans 78 Hz and 192 ms",
    )
    strides: tuple[Pair, ...] = _setting(
        ((2, 2), (2, 2), (2, 1), (2, 1)),
        "stride of each convolution (frequency, time)",
        "used, but not stated",
        "as the filters; instead of pooling: 16 times fewer bins, 4 times fewer steps for the Bi-LSTM",
    )
    pooling: Literal["none", "max"] = _setting(
        "none",
        "who reduces the resolution: the convolutions by their strides, or max pooling of the same size behind each",
        "pooling was discarded (Section 3)",
        technique=True,
    )
    hidden_size: int = _setting(
        128,
        "units of a Bi-LSTM layer and direction",
        "not stated",
        _NETWORK,
        ge=1,
    )
    lstm_layers: int = _setting(1, "Bi-LSTM layers", "1 to 4; 1 is best (Section 3)", ge=1, le=4)
    aggregation: Literal["mean", "last"] = _setting(
        "mean",
        "how the Bi-LSTM's outputs over time become one vector",
        "not stated",
        "every step counts the same, however long the utterance",
    )
    recurrent_normalisation: Literal["none", "all", "gate", "frame"] = _setting(
        "none",
        "over what the input contribution of each Bi-LSTM layer and direction is normalised: batch, frames and all "
        "features together, each gate's features apart, or each frame apart",
        "over all the axes (eqs. 3-5); the best model goes without",
        technique=True,
    )
    statistics_momentum: Annotated[float, Field(gt=0, le=1)] | None = _setting(
        None,
        "weight of a new batch in the running mean and variance of recurrent batch normalisation; None: all batches of "
        "the present epoch weigh the same",
        "not stated",
        "the last epoch counts whole for every size of batch; large batches make few steps, and a fixed weight would "
        "leave their running statistics behind",
        technique=True,
    )
    batch_size: int = _setting(
        16, "utterances in a batch", "16 (Section 3, where the mark of footnote 4 stands behind it)", ge=1
    )
    learning_rate: PositiveRate = _setting(
        0.01,
        "learning rate η of eq. 6",
        "not stated",
        "the usual first choice with momentum 0.9; the training loss falls steadily",
    )
    momentum: Momentum = _setting(0.9, "momentum γ of eq. 6", "used, but not stated", "the usual value")
    beta: PositiveRate = _setting(
        1.0,
        "factor β of eq. 6",
        "proposed; no values stated (Section 3.1)",
        "1 is ordinary momentum",
        technique=True,
    )
    convolution_learning_rate: PositiveRate | None = _own("η of the convolutions")
    convolution_momentum: Momentum | None = _own("γ of the convolutions")
    convolution_beta: PositiveRate | None = _own("β of the convolutions")
    recurrent_learning_rate: PositiveRate | None = _own("η of the Bi-LSTM layers")
    recurrent_momentum: Momentum | None = _own("γ of the Bi-LSTM layers")
    recurrent_beta: PositiveRate | None = _own("β of the Bi-LSTM layers")
    learning_rate_schedule: Schedule = _setting(
        "constant", "how η changes over the planned steps, as a factor", "not stated", "the simplest", technique=True
    )
    momentum_schedule: Schedule = _setting(
        "constant", "how γ changes over the planned steps, as a factor", "not stated", "the simplest", technique=True
    )
    beta_schedule: Schedule = _setting(
        "constant", "how β changes over the planned steps, as a factor", "not stated", "the simplest", technique=True
    )
    weight_decay: float = _setting(
        1e-4,
        "L2 factor: adds weight_decay × w to the gradient of every weight matrix",
        "used, but not stated",
        "the usual value for small convolutional networks",
        ge=0,
        le=_LARGEST,
        allow_inf_nan=False,
    )
    precision: Literal["float32", "tf32"] = _setting(
        "float32",
        "how a GPU multiplies: in single precision, or with factors rounded to TF32's 10 bits",
        "not stated",
        "a GPU then agrees with a CPU; TF32 is faster on NVIDIA's GPUs, there is none on a CPU, and what it does to "
        "scores was not measured",
        technique=True,
    )
    epochs: int = _setting(
        30,
        "passes over the training part, at the most",
        "not stated",
        "the training loss is near zero by then on Emo-DB, where this was set; on RAVDESS many runs are ended by it",
        ge=1,
    )
    patience: int = _setting(
        10,
        "epochs without a better validation score after which training stops",
        "not stated",
        "longer than the validation score takes to recover from a chance dip",
        ge=1,
    )
    protocol: Literal["speakers", "mixed-pair", "utterances", "sessions", "test-validates"] = _setting(
        "speakers",
        "who tests and who validates: a speaker and the partner; or a half of both each; or parts of the utterances, "
        "whoever spoke them; or both of a session and a tenth of all others; or one speaker alone",
        "one of a session's speakers tests, the other validates, four sessions train (Section 3)",
        "as the paper; the others show what its protocol is worth",
        technique=True,
    )

    @model_validator(mode="after")
    def _layers_agree(self) -> "Experiment":
        if not len(self.filters) == len(self.kernels) == len(self.strides):
            raise ValueError(
                f"filters, kernels and strides must name the same number of convolutions, "
                f"not {len(self.filters)}, {len(self.kernels)} and {len(self.strides)}"
            )
        if self.statistics_momentum is not None and self.recurrent_normalisation == "none":
            raise ValueError("statistics_momentum has no effect without recurrent_normalisation")
        if any(size % 2 == 0 for kernel in self.kernels for size in kernel):
            raise ValueError(f"kernels must be odd, so that a frame keeps its place: {self.kernels}")
        return self

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any setting.

        A technique that is not used is left out, so that adding one here does not rename the runs of all others.
        """
        settings = {
            name: value
            for name, value in self.model_dump().items()
            if not (Experiment.model_fields[name].json_schema_extra["technique"] and value == type(self).without(name))
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]

    @classmethod
    def without(cls, technique: str) -> Any:
        """The value of a setting at which its technique is not used: its default."""
        return cls.model_fields[technique].default

    def with_settings(self, **settings: Any) -> "Experiment":
        """A copy with some settings changed, checked like any other.

        Raises:
            SerError: a key is unknown or a value out of range.
        """
        for key, value in settings.items():
            if key not in Experiment.model_fields:
                raise SerError(f"there is no setting {key!r}{suggestion(key, Experiment.model_fields)}")
            if isinstance(value, bool):  # pydantic would take it for 0 or 1
                raise SerError(f"{key}: true and false are the values of no setting")
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
BEST = BASELINE.with_settings(oversampling=2, **VTLP, frequency_range=8)

# Number of convolutions -> a stack of them that reduces the resolution 16 times in frequency and 4 times in time, sees
# 33 to 37 bins and 25 to 27 frames, and ends in 32 channels: what the Bi-LSTM reads has the same size for all of them.
CONVOLUTIONS: Mapping[int, dict[str, tuple]] = {
    1: {"filters": (32,), "kernels": ((33, 25),), "strides": ((16, 4),)},
    2: {"filters": (24, 32), "kernels": ((9, 9), (7, 5)), "strides": ((4, 4), (4, 1))},
    3: {"filters": (16, 24, 32), "kernels": ((5, 5), (7, 3), (3, 5)), "strides": ((2, 2), (4, 2), (2, 1))},
    4: {name: getattr(BASELINE, name) for name in ("filters", "kernels", "strides")},
    5: {
        "filters": (8, 16, 24, 32, 32),
        "kernels": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
        "strides": ((2, 2), (1, 1), (2, 2), (2, 1), (2, 1)),
    },
    6: {
        "filters": (8, 8, 16, 24, 32, 32),
        "kernels": ((3, 3), (3, 3), (1, 3), (3, 3), (3, 3), (3, 1)),
        "strides": ((2, 2), (1, 1), (1, 2), (2, 1), (2, 1), (2, 1)),
    },
}
"""The convolutional modules of the depth study (Section 3)."""

BATCH_SIZES = (16, 32, 64, 128, 256)
"""Batch sizes of Table 3, and two that the authors' memory did not allow."""


def _depth(convolutions: int, layers: int) -> Experiment:
    return BASELINE.with_settings(**CONVOLUTIONS[convolutions], lstm_layers=layers)


def _batch(size: int, scaled: bool, **settings: Any) -> Experiment:
    """The best model with another batch size, the learning rate held or scaled with it."""
    rate = BEST.learning_rate * (size / BEST.batch_size if scaled else 1)
    return BEST.with_settings(batch_size=size, learning_rate=rate, **settings)


def depth_name(convolutions: int, layers: int) -> str:
    """Name of the experiment with so many convolutions and Bi-LSTM layers; 4 and 1 are the baseline's own."""
    return "table1-baseline" if (convolutions, layers) == (4, 1) else f"depth-{convolutions}x{layers}"


def batch_name(size: int, scaled: bool) -> str:
    """Name of the experiment with recurrent batch normalisation and this batch size; 16 is the size scaled from."""
    table = "table3" if size <= 64 else "batch"
    return f"{table}-{size}" + ("-scaled" if scaled and size != BEST.batch_size else "")


EXPERIMENTS: Mapping[str, Experiment] = {
    "table1-baseline": BASELINE,
    "table1-oversampling": BASELINE.with_settings(oversampling=2),
    "table1-vtlp": BASELINE.with_settings(oversampling=2, **VTLP),
    "table1-best": BEST,
    "quick": BASELINE.with_settings(oversampling=2, **VTLP, epochs=15),
    # Recurrent batch normalisation: Table 3, beyond its memory limit, and the same sizes without it
    **{
        batch_name(size, scaled): _batch(size, scaled, recurrent_normalisation="all")
        for size in BATCH_SIZES
        for scaled in (False, True)
    },
    **{
        f"{batch_name(size, scaled)}-without": _batch(size, scaled)
        for size in (32, 64)
        for scaled in (False, True)
    },
    **{
        f"batchnorm-4x{layers}": _depth(4, layers).with_settings(recurrent_normalisation="all")
        for layers in (1, 2, 3, 4)
    },
    **{
        f"batchnorm-{scope}": BASELINE.with_settings(recurrent_normalisation=scope) for scope in ("gate", "frame")
    },
    # Depth: 1-6 convolutions and 1-4 Bi-LSTM layers
    **{
        depth_name(convolutions, layers): _depth(convolutions, layers)
        for convolutions in CONVOLUTIONS
        for layers in (1, 2, 3, 4)
    },
    # Update parameters of the two modules, and schedules
    **{
        f"{module}-{setting.replace('_', '-')}-{value:g}": BASELINE.with_settings(**{f"{module}_{setting}": value})
        for module in ("convolution", "recurrent")
        for setting, values in {
            "learning_rate": (BASELINE.learning_rate / 4, BASELINE.learning_rate * 4),
            "momentum": (0.5, 0.97),
            "beta": (0.25, 4.0),
        }.items()
        for value in values
    },
    **{
        f"{setting.replace('_', '-')}-{shape}": BASELINE.with_settings(**{f"{setting}_schedule": shape})
        for setting, shape in (
            ("learning_rate", "cosine"), ("beta", "cosine"), ("momentum", "cosine"),
            ("learning_rate", "warmup"), ("beta", "warmup"),
        )
    },
    # One thing at a time
    "pooling-max": BASELINE.with_settings(pooling="max"),
    **{
        f"normalisation-none-{convolutions}": _depth(convolutions, 1).with_settings(normalisation="none")
        for convolutions in CONVOLUTIONS
    },
    **{
        f"normalisation{kind}-slow-{convolutions}": _depth(convolutions, 1).with_settings(
            normalisation=normalisation, learning_rate=BASELINE.learning_rate / 10
        )
        for convolutions in CONVOLUTIONS
        for kind, normalisation in (("", "dataset"), ("-none", "none"))
    },
    "vtlp-epoch": BASELINE.with_settings(oversampling=2, vtlp="epoch"),
    "vtlp-epoch-vote": BASELINE.with_settings(oversampling=2, vtlp="epoch", test_copies=11),
    "vtlp-utterance": BASELINE.with_settings(oversampling=2, vtlp="utterance"),
    "vtlp-alone": BASELINE.with_settings(**VTLP),
    "vote-alone": BASELINE.with_settings(oversampling=2, test_copies=VTLP["test_copies"]),
    "frequency-8": BASELINE.with_settings(frequency_range=8),
    # Other protocols than the paper's
    **{
        f"protocol-{protocol}": BASELINE.with_settings(protocol=protocol)
        for protocol in ("mixed-pair", "utterances", "sessions", "test-validates")
    },
    "normalisation-training": BASELINE.with_settings(normalisation="training"),
}  # fmt: skip
"""Name of each experiment -> its configuration."""


_LIST = "`python -m ser_lib experiments` lists them all"


@dataclass(frozen=True)
class Family:
    """Experiments that answer one question together.

    Attributes:
        question: the question.
        references: each experiment -> the one that it is compared with, from which it differs in what is asked.
    """

    question: str
    references: Mapping[str, str]

    @property
    def experiments(self) -> list[str]:
        """Every experiment that the question needs, references included, each once."""
        return list(dict.fromkeys([*self.references.values(), *self.references]))


def _against(reference: str, *experiments: str) -> dict[str, str]:
    return dict.fromkeys(experiments, reference)


_LAYERWISE = [name for name in EXPERIMENTS if name.startswith(("convolution-", "recurrent-"))]
_SCHEDULED = [name for name in EXPERIMENTS if name.endswith(("-cosine", "-warmup"))]

FAMILIES: Mapping[str, Family] = {
    "table1": Family(
        "what do oversampling, VTLP and a larger frequency range add?",
        {
            "table1-oversampling": "table1-baseline",
            "table1-vtlp": "table1-oversampling",
            "table1-best": "table1-vtlp",
        },
    ),
    "table3": Family(
        "what does recurrent batch normalisation do to the best model, by batch size?",
        _against("table1-best", "table3-16", "table3-32", "table3-32-scaled", "table3-64", "table3-64-scaled"),
    ),
    "large-batches": Family(
        "do batches beyond the authors' memory help recurrent batch normalisation?",
        _against("table3-16", *(batch_name(size, scaled) for size in (128, 256) for scaled in (False, True))),
    ),
    "batch-size-without": Family(
        "what does the batch size do without recurrent batch normalisation?",
        _against(
            "table1-best", *(f"{batch_name(size, scaled)}-without" for size in (32, 64) for scaled in (False, True))
        ),
    ),
    "batchnorm-depth": Family(
        "what does recurrent batch normalisation do with 1 to 4 Bi-LSTM layers?",
        {f"batchnorm-4x{layers}": depth_name(4, layers) for layers in (1, 2, 3, 4)},
    ),
    "batchnorm-scope": Family(
        "does it matter over what the recurrent batch normalisation is taken?",
        _against("batchnorm-4x1", "batchnorm-gate", "batchnorm-frame"),
    ),
    "layerwise": Family(
        "do convolutions and Bi-LSTM want update parameters of their own?", _against("table1-baseline", *_LAYERWISE)
    ),
    "schedules": Family("does it matter whether η, γ or β is scheduled?", _against("table1-baseline", *_SCHEDULED)),
    "depth": Family(
        "how deep should the two modules be?",
        _against(
            "table1-baseline",
            *(depth_name(c, layers) for c in CONVOLUTIONS for layers in (1, 2, 3, 4) if (c, layers) != (4, 1)),
        ),
    ),
    "pooling": Family("do strides do better than pooling?", _against("table1-baseline", "pooling-max")),
    "normalisation": Family(
        "what does normalising the spectrogram do, by the number of convolutions?",
        {f"normalisation-none-{convolutions}": depth_name(convolutions, 1) for convolutions in CONVOLUTIONS},
    ),
    "normalisation-slow": Family(
        "and with a tenth of the learning rate?",
        {f"normalisation-none-slow-{number}": f"normalisation-slow-{number}" for number in CONVOLUTIONS},
    ),
    "vtlp": Family(
        "which strategy of VTLP is best, and what does the vote add?",
        _against("table1-oversampling", "vote-alone", "vtlp-epoch", "vtlp-epoch-vote", "vtlp-utterance", "table1-vtlp"),
    ),
    "alone": Family(
        "what does each technique do to the baseline on its own?",
        _against("table1-baseline", "table1-oversampling", "vtlp-alone", "frequency-8"),
    ),
    "protocol": Family(
        "what would the score be if the test speaker were kept apart less strictly, or more?",
        _against(
            "table1-baseline",
            *(name for name in EXPERIMENTS if name.startswith("protocol-")),
            "normalisation-training",
        ),
    ),
}
"""Name of each family -> its question and its experiments."""

NO_FAMILY = "no family"
"""Where an experiment belongs that answers none of the families' questions."""


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
        raise SerError(f"there is no experiment {name!r}{nearest(name, EXPERIMENTS)} ({_LIST})")
    return EXPERIMENTS[name]


def members(name: str) -> list[str]:
    """The experiments of a family, or the one experiment of that name.

    Raises:
        SerError: there is neither; the message suggests the nearest name.
    """
    if name in FAMILIES:
        return FAMILIES[name].experiments
    if name in EXPERIMENTS:
        return [name]
    raise SerError(f"there is no experiment or family {name!r}{nearest(name, {**EXPERIMENTS, **FAMILIES})} ({_LIST})")


def compared(names: Sequence[str], reference: str = "") -> dict[str, str]:
    """Each of some experiments -> the one that it is compared with.

    Args:
        names: experiments, or families of them.
        reference: the one that all are compared with; if empty, members of a family are compared as the family says,
            and all others with the first experiment that is named.

    Raises:
        SerError: a name is unknown, or there is nothing to compare.
    """
    pairs: dict[str, str] = {}
    plain = [name for name in names if name not in FAMILIES]
    for name in names:
        own = FAMILIES[name].references if name in FAMILIES else {}
        for member in members(name):
            pairs[member] = reference or own.get(member) or pairs.get(member) or (plain[0] if plain else member)
    find_experiment(reference or next(iter(EXPERIMENTS)))
    pairs = {member: other for member, other in pairs.items() if member != other}
    if not pairs:
        raise SerError(f"{', '.join(names)}: name two experiments or more, or a family ({', '.join(FAMILIES)})")
    return pairs


def family_of(experiment: str) -> str:
    """The family that an experiment belongs to: the first that compares it with another, else the first that needs it.

    Args:
        experiment: its name; `NO_FAMILY` if no family holds it.
    """
    compares = (name for name, family in FAMILIES.items() if experiment in family.references)
    holds = (name for name, family in FAMILIES.items() if experiment in family.experiments)
    return next(itertools.chain(compares, holds), NO_FAMILY)
