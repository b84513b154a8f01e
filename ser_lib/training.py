"""One run: train on a fold, let the validation speaker choose the epoch, look at the test speaker once (Section 3).

What validation is for, and the loss, the paper does not say: here it chooses the epoch, and the loss is cross-entropy.
"""

import copy
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm import tqdm

from ser_lib import metrics, vtlp
from ser_lib.corpora import EMOTIONS
from ser_lib.device import multiplying
from ser_lib.errors import SerError
from ser_lib.experiments import Experiment
from ser_lib.features import BINS, FeatureStore, consecutive, normalise_, statistics
from ser_lib.folds import Fold, oversample
from ser_lib.model import ConvLSTM, layer_of
from ser_lib.optim import BetaSGD, Schedule, layer_groups
from ser_lib.recurrent_bn import BatchNormLSTM
from ser_lib.strip import Layout, Strip, lay

EVALUATED_FRAMES = 8192
"""Frames that are scored at once; bounds the memory of the eleven copies."""


class Diverged(SerError):
    """The loss is no longer finite.

    Attributes:
        epoch: in which epoch, from 1.
        batch: in which batch of it, from 1; None in validation.
        utterances: the names of those that were scored.
        history: the epochs before, one row each.
    """

    def __init__(self, epoch: int, batch: int | None, utterances: list[str]) -> None:
        self.epoch, self.batch, self.utterances = epoch, batch, utterances
        self.history = pd.DataFrame()
        place = "validation" if batch is None else f"batch {batch}"
        super().__init__(
            f"the loss is not finite in epoch {epoch}, {place}, utterances {', '.join(utterances)}: "
            "lower the learning rate, or look at these recordings"
        )


@dataclass(frozen=True)
class Outcome:
    """What training leaves behind.

    Attributes:
        history: one row per epoch: ``epoch``, ``training_loss``, ``validation_loss``, ``validation_wa``,
            ``validation_ua``.
        gradients: one row per step: ``epoch``, ``step`` and, per layer, the Euclidean norm of the loss gradient.
        updates: one row per step: ``epoch``, ``step`` and, per layer, the Euclidean norm of the update as a share of
            that of the weights before it.
        predictions: one row per test utterance: ``utterance``, ``speaker``, ``truth``, ``prediction``, the probability
            of each emotion (mean over the copies) and the votes for it.
        best_epoch: the epoch whose weights were kept.
        weights: state of the network at that epoch.
        mean, variance: the statistics of eq. 2, in dB and dB².
    """

    history: pd.DataFrame
    gradients: pd.DataFrame
    updates: pd.DataFrame
    predictions: pd.DataFrame
    best_epoch: int
    weights: dict[str, torch.Tensor]
    mean: float
    variance: float


class DeviceData:
    """The spectrograms of a corpus on the device, and batches made from them there.

    Args:
        store: the feature store.
        bins: frequency bins to take, from 0 Hz up.
        mean, variance: the statistics of eq. 2.
        device: where the data lie.
    """

    def __init__(self, store: FeatureStore, bins: int, mean: float, variance: float, device: torch.device) -> None:
        self.strip = torch.from_numpy(store.strip[:bins]).to(device)
        self.starts = store.starts
        self.lengths = torch.from_numpy(store.lengths)
        self.mean, self.variance = mean, variance

    def batch(self, rows: np.ndarray, layout: Layout, alphas: torch.Tensor | None = None) -> tuple[torch.Tensor, Strip]:
        """Spectrograms of some utterances, warped, normalised and laid end to end.

        Args:
            rows: utterances, as rows of the table, shape (batch,).
            layout: how the network wants them laid.
            alphas: warp factor of each, shape (batch,); None warps nothing.

        Returns:
            A strip, shape (bins, width), zero between utterances, and where the utterances lie in it.
        """
        strip = lay(self.lengths[torch.from_numpy(rows)], layout)
        picture = self.strip.new_full((self.strip.shape[0], strip.width), self.mean)
        places = [picture[:, start : start + length] for start, length in strip.places()]
        sources = [self.strip[:, self.starts[row] : self.starts[row + 1]] for row in rows]
        if alphas is None:
            torch._foreach_copy_(places, sources)
        elif picture.is_cuda:  # one pass over the strip: a warp for each utterance takes many launches
            torch._foreach_copy_(places, sources)
            picture = vtlp.warp_columns(picture, strip.owners().to(picture.device), alphas)
        else:
            vtlp.warp_into(places, sources, alphas)
        return normalise_(picture, self.mean, self.variance), strip


def build_model(experiment: Experiment) -> ConvLSTM:
    """The network that an experiment asks for, with fresh weights."""
    return ConvLSTM(
        bins=BINS[experiment.frequency_range],
        filters=experiment.filters,
        kernels=experiment.kernels,
        strides=experiment.strides,
        hidden_size=experiment.hidden_size,
        lstm_layers=experiment.lstm_layers,
        aggregation=experiment.aggregation,
        pooling=experiment.pooling,
        recurrent_normalisation=experiment.recurrent_normalisation,
        statistics_momentum=experiment.statistics_momentum,
        classes=len(EMOTIONS),
    )


def build_optimizer(model: ConvLSTM, experiment: Experiment) -> BetaSGD:
    """The optimizer of eq. 6, with the update parameters of each module (Section 3.1)."""
    modules: dict[str, dict[str, float]] = {"convolutions": {}, "lstm": {}}
    for module, prefix in (("convolutions", "convolution"), ("lstm", "recurrent")):
        for setting, name in (("lr", "learning_rate"), ("momentum", "momentum"), ("beta", "beta")):
            value = getattr(experiment, f"{prefix}_{name}")
            if value is not None:
                modules[module][setting] = value
    groups = layer_groups(model, experiment.weight_decay, **modules)
    return BetaSGD(groups, experiment.learning_rate, experiment.momentum, experiment.beta)


def build_schedules(optimizer: BetaSGD, experiment: Experiment) -> list[Schedule]:
    """How η, γ and β change over training."""
    return [
        Schedule(optimizer, "lr", experiment.learning_rate_schedule),
        Schedule(optimizer, "momentum", experiment.momentum_schedule),
        Schedule(optimizer, "beta", experiment.beta_schedule),
    ]


def train(
    table: pd.DataFrame,
    store: FeatureStore,
    experiment: Experiment,
    fold: Fold,
    seed: int,
    device: str = "cpu",
    progress: bool = False,
) -> Outcome:
    """Train on one fold and score its test speaker.

    Args:
        table: utterances of the corpus.
        store: their spectrograms.
        experiment: the configuration.
        fold: who trains, validates and tests.
        seed: from which initial weights, order and warp factors follow, together with the fold's number. The three are
            drawn independently, so that two experiments with one seed differ in nothing but their settings.
        device: a torch device; on the CPU one thread is used, since many runs side by side use the cores better.
        progress: whether to show a progress bar.

    Raises:
        Diverged (a SerError): the loss is no longer finite; the message names epoch, batch and utterances.
        SerError: the device cannot multiply in the experiment's precision.

    Source: Section 3, third and fourth paragraph; Section 2 for the warps and the vote.
    """
    place = torch.device(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with multiplying(experiment.precision, place):
            return _Run(table, store, experiment, fold, seed, place).train(progress)
    finally:
        torch.set_num_threads(threads)


class _Run:
    """The state of one training: data, network, optimizer and the three random streams."""

    def __init__(self, table, store, experiment, fold, seed, device) -> None:
        self.table, self.experiment, self.fold, self.device = table, experiment, fold, device
        streams = np.random.SeedSequence([seed, fold.number]).generate_state(4, np.uint64)
        self.shuffling, self.warping, self.validating = (
            torch.Generator().manual_seed(int(state % 2**63)) for state in streams[1:]
        )
        emotions = table["emotion"].to_numpy()
        self.labels = torch.tensor([EMOTIONS.index(emotion) for emotion in emotions])
        self.training_rows = oversample(fold.train, emotions, experiment.oversampling)
        bins = BINS[experiment.frequency_range]
        if experiment.normalisation == "none":
            mean, variance = 0.0, 1.0
        else:
            rows = fold.train if experiment.normalisation == "training" else None
            mean, variance = statistics(store, bins, rows)
        self.data = DeviceData(store, bins, mean, variance, device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(streams[0] % 2**63))
            self.model = build_model(experiment).to(device)
        self.layers: dict[str, list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            self.layers.setdefault(layer_of(name), []).append(parameter)
        self.optimizer = build_optimizer(self.model, experiment)
        self.schedules = build_schedules(self.optimizer, experiment)
        self.steps = 0

    def train(self, progress: bool) -> Outcome:
        experiment = self.experiment
        history, gradients, updates = [], [], []
        best, best_epoch, weights = (-1.0, 0.0), 0, {}
        bar = tqdm(
            range(1, experiment.epochs + 1), desc=f"test speaker {self.fold.test_speaker}", unit="epoch",
            disable=not progress,
        )  # fmt: skip
        for epoch in bar:
            try:
                training_loss, norms, shares = self._train_epoch(epoch)
                row = {"epoch": epoch, "training_loss": training_loss, **self._validate(epoch)}
            except Diverged as problem:
                problem.history = pd.DataFrame(history)
                raise
            gradients.append(norms)
            updates.append(shares)
            history.append(row)
            score = (row["validation_ua"], -row["validation_loss"])
            if score > best:
                best, best_epoch, weights = score, epoch, copy.deepcopy(self.model.state_dict())
            bar.set_postfix(loss=f"{training_loss:.3f}", validation_ua=f"{row['validation_ua']:.3f}")
            if epoch - best_epoch >= experiment.patience:
                break
        self.model.load_state_dict(weights)
        return Outcome(
            history=pd.DataFrame(history),
            gradients=pd.concat(gradients, ignore_index=True),
            updates=pd.concat(updates, ignore_index=True),
            predictions=self._test(),
            best_epoch=best_epoch,
            weights={name: weight.cpu() for name, weight in weights.items()},
            mean=self.data.mean,
            variance=self.data.variance,
        )

    def _train_epoch(self, epoch: int) -> tuple[float, pd.DataFrame, pd.DataFrame]:
        self.model.train()
        if isinstance(self.model.lstm, BatchNormLSTM) and self.experiment.statistics_momentum is None:
            self.model.lstm.reset_running_stats()
        order = self.training_rows[torch.randperm(len(self.training_rows), generator=self.shuffling).numpy()]
        alphas = self._training_alphas(len(order))
        batches = [
            slice(first, first + self.experiment.batch_size)
            for first in range(0, len(order), self.experiment.batch_size)
        ]
        losses, gradients, updates = [], [], []
        for part in batches:
            loss, norms, shares = self._step(order[part], None if alphas is None else alphas[part], len(batches))
            losses.append(loss * len(order[part]))
            gradients.append(norms)
            updates.append(shares)
        losses = torch.stack(losses).cpu()
        if not losses.isfinite().all():
            batch = int((~losses.isfinite()).nonzero()[0])
            raise Diverged(epoch, batch + 1, self.table["utterance"].iloc[order[batches[batch]]].tolist())
        return float(losses.sum()) / len(order), self._by_layer(gradients, epoch), self._by_layer(updates, epoch)

    def _step(
        self, rows: np.ndarray, alphas: torch.Tensor | None, steps_per_epoch: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One step of the optimizer: the loss before it, and each layer's gradient norm and share of change."""
        for schedule in self.schedules:
            schedule.set(self.steps / (self.experiment.epochs * steps_per_epoch))
        self.steps += 1
        logits = self.model.score(*self.data.batch(rows, self.model.layout, alphas))
        loss = functional.cross_entropy(logits, self.labels[rows].to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        gradients, weights = gradient_norms(self.layers), weight_norms(self.layers)
        self.optimizer.step()
        updates = torch.stack([self.optimizer.update_norm(members) for members in self.layers.values()])
        return loss.detach(), gradients, updates / weights

    def _by_layer(self, norms: list[torch.Tensor], epoch: int) -> pd.DataFrame:
        """One row per step of an epoch, one column per layer."""
        table = pd.DataFrame(torch.stack(norms).cpu().numpy(), columns=list(self.layers))
        table.insert(0, "step", np.arange(1, len(table) + 1))
        table.insert(0, "epoch", epoch)
        return table

    def _training_alphas(self, count: int) -> torch.Tensor | None:
        if self.experiment.vtlp == "none":
            return None
        if self.experiment.vtlp == "epoch":
            return vtlp.draw_alphas(1, self.warping).expand(count)
        return vtlp.draw_alphas(count, self.warping)

    def _validate(self, epoch: int) -> dict[str, float]:
        rows = self.fold.validation
        alphas = None
        if self.experiment.vtlp == "utterance":
            alphas = vtlp.draw_alphas(len(rows), self.validating).unsqueeze(0)
        probabilities = evaluate(self.model, self.data, rows, alphas)[0]
        if not np.isfinite(probabilities).all():  # the last step of the epoch spoilt the weights
            spoilt = rows[~np.isfinite(probabilities).all(axis=1)]
            raise Diverged(epoch, None, self.table["utterance"].iloc[spoilt].tolist())
        truth = self.labels[rows].numpy()
        prediction = probabilities.argmax(axis=1)
        return {
            "validation_loss": float(-np.log(probabilities[np.arange(len(rows)), truth]).mean()),
            "validation_wa": metrics.weighted_accuracy(truth, prediction),
            "validation_ua": metrics.unweighted_accuracy(truth, prediction, range(len(EMOTIONS))),
        }

    def _test(self) -> pd.DataFrame:
        rows = self.fold.test
        probabilities = vote(self.model, self.data, rows, self.experiment.test_copies)
        truth = self.table.iloc[rows][["utterance", "speaker", "emotion"]].rename(columns={"emotion": "truth"})
        return pd.concat([truth.reset_index(drop=True), votes_table(probabilities)], axis=1)


def gradient_norms(layers: dict[str, list[torch.nn.Parameter]]) -> torch.Tensor:
    """Euclidean norm of each layer's gradient, shape (layers,); taken before the optimizer's step (Fig. 3)."""
    return _norms([[parameter.grad for parameter in members] for members in layers.values()])


def weight_norms(layers: dict[str, list[torch.nn.Parameter]]) -> torch.Tensor:
    """Euclidean norm of each layer's weights and biases together, shape (layers,)."""
    return _norms([[parameter.detach() for parameter in members] for members in layers.values()])


def _norms(layers: list[list[torch.Tensor]]) -> torch.Tensor:
    """Euclidean norm of each layer's tensors together; all are asked for at once, which takes a few calls in all."""
    norms = torch.stack(torch._foreach_norm([tensor for members in layers for tensor in members]))
    return torch.stack([torch.linalg.vector_norm(own) for own in norms.split([len(members) for members in layers])])


@torch.inference_mode()
def evaluate(model: ConvLSTM, data: DeviceData, rows: np.ndarray, alphas: torch.Tensor | None = None) -> np.ndarray:
    """Probability of each class for each copy of each utterance.

    Args:
        model: the network.
        data: the spectrograms.
        rows: utterances, as rows of the table, shape (utterances,).
        alphas: warp factors, shape (copies, utterances); None is one copy, unwarped.

    Returns:
        Probabilities, float64, shape (copies, utterances, classes).
    """
    model.eval()
    copies = 1 if alphas is None else len(alphas)
    lengths = data.lengths.numpy()[rows]
    probabilities = np.empty((copies, len(rows), model.dense.out_features))
    for part in _alike(lengths, copies):
        warps = None if alphas is None else alphas[:, torch.from_numpy(part)].flatten()
        logits = model.score(*data.batch(np.tile(rows[part], copies), model.layout, warps))
        probabilities[:, part] = logits.double().softmax(dim=1).reshape(copies, len(part), -1).cpu().numpy()
    return probabilities


def vote(model: ConvLSTM, data: DeviceData, rows: np.ndarray, copies: int) -> np.ndarray:
    """As :func:`evaluate`, on one unwarped copy or on the eleven copies of Section 2."""
    if copies == 1:
        return evaluate(model, data, rows)
    alphas = torch.tensor(vtlp.VOTE_ALPHAS, dtype=torch.float64)
    return evaluate(model, data, rows, alphas.unsqueeze(1).expand(-1, len(rows)))


def votes_table(probabilities: np.ndarray) -> pd.DataFrame:
    """One row per utterance: the majority vote ``prediction``, mean probabilities and votes of each emotion.

    Args:
        probabilities: shape (copies, utterances, classes).
    """
    winners = metrics.majority_vote(probabilities)
    columns = {"prediction": [EMOTIONS[winner] for winner in winners]}
    columns |= {f"p_{emotion}": column for emotion, column in zip(EMOTIONS, probabilities.mean(axis=0).T, strict=True)}
    votes = metrics.vote_counts(probabilities)
    columns |= {f"votes_{emotion}": column for emotion, column in zip(EMOTIONS, votes.T, strict=True)}
    return pd.DataFrame(columns)


def _alike(lengths: np.ndarray, copies: int) -> list[np.ndarray]:
    """Positions in groups of like length, each of at most ``EVALUATED_FRAMES`` (or a single utterance)."""
    order = np.argsort(lengths, kind="stable")  # one that runs longer than the others would run its last steps alone
    return [order[group.start : group.stop] for group in consecutive(copies * lengths[order], EVALUATED_FRAMES)]
