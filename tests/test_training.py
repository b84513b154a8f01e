"""Training: who is read when, what is random and what is not, which epoch is kept, and what is written down."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from ser_lib import features, training, vtlp
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.folds import oversample
from ser_lib.model import ConvLSTM
from ser_lib.optim import SHAPES, BetaSGD
from ser_lib.protocols import find_fold
from ser_lib.strip import Layout


@pytest.fixture
def run(tiny_table, tiny_store, tiny_experiment):
    """A function that trains on the made-up corpus, with some settings changed."""

    def train(seed: int = 0, fold: int = 1, **settings) -> training.Outcome:
        experiment = tiny_experiment.with_settings(**settings)
        return training.train(tiny_table, tiny_store, experiment, find_fold(tiny_table, "speakers", fold), seed)

    return train


@pytest.fixture
def reads(monkeypatch) -> list:
    """Everything that is read for a network, in order: ``rows``, ``alphas``, and whether it is for training."""
    seen, true_batch = [], training.DeviceData.batch

    def batch(self, rows, layout, alphas=None):
        training_now = not torch.is_inference_mode_enabled()
        seen.append(SimpleNamespace(rows=np.array(rows), alphas=alphas, training=training_now))
        return true_batch(self, rows, layout, alphas)

    monkeypatch.setattr(training.DeviceData, "batch", batch)
    return seen


def blocks(reads: list) -> list[SimpleNamespace]:
    """Reads joined into one block for each pass over a part: training, validation, training, ..., test."""
    joined = []
    for read in reads:
        kind = (read.training, read.alphas is None)
        if not joined or joined[-1].kind != kind:
            joined.append(SimpleNamespace(kind=kind, training=read.training, rows=[], alphas=[]))
        joined[-1].rows.append(read.rows)
        joined[-1].alphas.append(read.alphas)
    for block in joined:
        block.rows = np.concatenate(block.rows)
        block.alphas = None if block.alphas[0] is None else torch.cat(block.alphas)
    return joined


def assert_same(first: training.Outcome, second: training.Outcome) -> None:
    for part in ("history", "gradients", "updates", "predictions"):
        pd.testing.assert_frame_equal(getattr(first, part), getattr(second, part), check_exact=True)
    assert first.best_epoch == second.best_epoch
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)


# Who is read when


def test_each_epoch_trains_on_every_training_utterance_once_and_on_nobody_else(run, reads, tiny_table):
    run(epochs=3)
    fold = find_fold(tiny_table, "speakers", 1)
    passes = [block.rows for block in blocks(reads) if block.training]
    assert len(passes) == 3
    for rows in passes:
        assert sorted(rows) == sorted(fold.train)


def test_oversampling_repeats_happiness_and_anger_in_training_and_nothing_elsewhere(run, reads, tiny_table):
    run(epochs=2, oversampling=2)
    fold, emotions = find_fold(tiny_table, "speakers", 1), tiny_table["emotion"].to_numpy()
    for block in blocks(reads)[:-1]:
        expected = oversample(fold.train, emotions, 2) if block.training else fold.validation
        assert sorted(block.rows[: len(expected)]) == sorted(expected)
    assert [len(block.rows) for block in blocks(reads)[1::2]] == [len(fold.validation), len(fold.validation) + 11]


@pytest.mark.parametrize("vtlp_kind, copies", [("none", 1), ("utterance", 11)])
def test_test_utterances_are_read_once_and_after_everything_else(run, reads, tiny_table, vtlp_kind, copies):
    run(epochs=3, vtlp=vtlp_kind, test_copies=copies)
    fold = find_fold(tiny_table, "speakers", 1)
    is_test = [np.isin(read.rows, fold.test) for read in reads]
    assert all(all(part) or not any(part) for part in is_test)
    first = [any(part) for part in is_test].index(True)
    assert all(any(part) for part in is_test[first:])
    assert sorted(np.concatenate([read.rows for read in reads[first:]])) == sorted(np.repeat(fold.test, copies))
    assert not any(read.training for read in reads[first:])


def test_predictions_are_of_the_test_utterances_in_the_order_of_the_table(run, tiny_table):
    fold = find_fold(tiny_table, "speakers", 4)
    predictions = run(fold=4).predictions
    expected = tiny_table.loc[fold.test]
    assert predictions["utterance"].tolist() == expected["utterance"].tolist()
    assert predictions["truth"].tolist() == expected["emotion"].tolist()
    assert set(predictions["speaker"]) == {fold.test_speaker}


def test_the_order_of_training_is_drawn_anew_every_epoch(run, reads):
    run(epochs=3)
    orders = [tuple(block.rows) for block in blocks(reads) if block.training]
    assert len(set(orders)) == 3


# Warps


def test_without_vtlp_nothing_is_warped(run, reads):
    run(vtlp="none", test_copies=1)
    assert all(read.alphas is None for read in reads)


def test_strategy_one_draws_one_alpha_for_all_in_an_epoch_and_none_for_validation(run, reads):
    run(vtlp="epoch", epochs=4)
    passes = blocks(reads)
    drawn = [set(block.alphas.tolist()) for block in passes if block.training]
    assert all(len(alphas) == 1 for alphas in drawn) and len(set.union(*drawn)) == 4
    assert all(0.9 <= alpha <= 1.1 for alpha in set.union(*drawn))
    assert all(block.alphas is None for block in passes if not block.training)


def test_strategy_two_draws_an_alpha_for_each_utterance_of_training_and_validation(run, reads, tiny_table):
    run(vtlp="utterance", epochs=3, oversampling=2, test_copies=11)
    fold = find_fold(tiny_table, "speakers", 1)
    *passes, last = blocks(reads)
    for block in [*passes, last]:
        size = len(block.rows) if block is not last else len(fold.validation)
        assert len(set(block.alphas[:size].tolist())) == size
        assert float(block.alphas.min()) >= 0.9 and float(block.alphas.max()) <= 1.1
    assert len({tuple(block.alphas.tolist()[:5]) for block in passes}) == len(passes)


def test_the_vote_is_over_eleven_copies_of_each_utterance(run, reads, tiny_table):
    predictions = run(vtlp="epoch", test_copies=11).predictions
    fold = find_fold(tiny_table, "speakers", 1)
    voted = [read for read in reads if read.alphas is not None and not read.training]
    by_row = {int(row): [] for row in fold.test}
    for read in voted:
        for row, alpha in zip(read.rows, read.alphas.tolist(), strict=True):
            by_row[int(row)].append(alpha)
    assert all(sorted(alphas) == list(vtlp.VOTE_ALPHAS) for alphas in by_row.values())
    assert (predictions[[f"votes_{emotion}" for emotion in EMOTIONS]].sum(axis=1) == 11).all()


def test_a_vote_equals_the_vote_over_copies_that_are_warped_beforehand(tiny_store, tiny_experiment):
    model = training.build_model(tiny_experiment)
    rows, mean = np.array([4, 9, 17]), -60.0
    data = training.DeviceData(tiny_store, 257, mean, 100.0, torch.device("cpu"))
    voted = training.vote(model, data, rows, 11)
    for alpha, copy in zip(vtlp.VOTE_ALPHAS, voted, strict=True):
        pictures = [torch.from_numpy(tiny_store.picture(row, 257).copy()) for row in rows]
        store = features.FeatureStore.of([vtlp.warp(picture.T, alpha).T for picture in pictures])
        warped = training.DeviceData(store, 257, mean, 100.0, torch.device("cpu"))
        np.testing.assert_allclose(training.evaluate(model, warped, np.arange(3))[0], copy, rtol=0, atol=1e-5)


# What is random, and what is not


@pytest.mark.parametrize(
    "settings",
    [{}, {"vtlp": "utterance", "test_copies": 11, "oversampling": 2}, {"recurrent_normalisation": "all"}],
)
def test_the_same_seed_gives_the_same_run_bit_for_bit(run, settings):
    torch.manual_seed(1)
    first = run(seed=3, **settings)
    torch.manual_seed(2)
    assert_same(first, run(seed=3, **settings))


@pytest.mark.parametrize("other", [{"seed": 1}, {"fold": 2}])
def test_another_seed_and_another_fold_start_from_other_weights(run, other):
    first, second = (run(learning_rate=1e-30, epochs=1, **kwargs).weights for kwargs in ({}, other))
    assert not any(torch.equal(first[name], second[name]) for name in first if name.endswith("weight"))


def test_experiments_with_one_seed_share_weights_order_and_warps_and_differ_in_their_settings_only(run, reads):
    settings = [{}, {"vtlp": "epoch"}, {"vtlp": "utterance"}, {"vtlp": "utterance", "weight_decay": 0.1}]
    orders, alphas, weights = [], [], []
    for changed in settings:
        reads.clear()
        weights.append(run(learning_rate=1e-30, **changed).weights)
        passes = [block for block in blocks(reads) if block.training]
        orders.append([block.rows.tolist() for block in passes])
        alphas.append(None if passes[0].alphas is None else torch.cat([block.alphas for block in passes]).tolist())
    assert all(order == orders[0] for order in orders)
    assert alphas[2] == alphas[3]
    for other in weights[1:]:
        assert all(torch.allclose(weights[0][name], other[name], rtol=0, atol=1e-20) for name in other)


def test_training_leaves_the_callers_random_numbers_and_threads_alone(run):
    threads, state, numpy_state = torch.get_num_threads(), torch.get_rng_state(), np.random.get_state()[1].copy()
    try:
        torch.set_num_threads(3)
        run(epochs=1)
        assert torch.get_num_threads() == 3
        with pytest.raises(SerError):
            run(epochs=2, learning_rate=1e30)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numpy_state).all()


def test_one_thread_trains(run, monkeypatch):
    seen, true_norms = set(), training.gradient_norms
    monkeypatch.setattr(
        training, "gradient_norms", lambda layers: seen.add(torch.get_num_threads()) or true_norms(layers)
    )
    run(epochs=1)
    assert seen == {1}


# Which epoch is kept


def validated_as(scores: list[tuple[float, float]], monkeypatch) -> None:
    """Let validation give these scores (UA, loss), epoch by epoch."""
    epochs = iter(scores)

    def validate(self, epoch):
        ua, loss = next(epochs)
        return {"validation_loss": loss, "validation_wa": 0.5, "validation_ua": ua}

    monkeypatch.setattr(training._Run, "_validate", validate)


@pytest.mark.parametrize(
    "scores, best",
    [
        ([(0.5, 1.0), (0.7, 2.0), (0.6, 0.1), (0.6, 0.1)], 2),
        ([(0.7, 2.0), (0.7, 1.5), (0.7, 1.9), (0.6, 0.1)], 2),
        ([(0.7, 2.0), (0.7, 1.5), (0.7, 1.5), (0.6, 0.1)], 2),
        ([(0.0, 9.0), (0.0, 9.0), (0.0, 9.0), (0.0, 9.0)], 1),
        ([(0.1, 1.0), (0.2, 1.0), (0.3, 1.0), (0.4, 1.0)], 4),
    ],
    ids=["best UA", "tie: lower loss", "tie: the earlier", "no progress", "last"],
)
def test_the_epoch_with_the_best_validation_ua_is_kept(run, monkeypatch, scores, best):
    validated_as(scores, monkeypatch)
    outcome = run(epochs=4)
    assert outcome.best_epoch == best
    validated_as([(0.1 * epoch, 1.0) for epoch in range(1, best + 1)], monkeypatch)
    shorter = run(epochs=best)  # which keeps its last epoch
    assert all(torch.equal(outcome.weights[name], shorter.weights[name]) for name in shorter.weights)
    pd.testing.assert_frame_equal(outcome.predictions, shorter.predictions)


def test_the_kept_epoch_is_the_best_of_the_history(run):
    outcome = run(epochs=8)
    history = outcome.history.sort_values(["validation_ua", "validation_loss", "epoch"], ascending=[False, True, True])
    assert history["epoch"].iloc[0] == outcome.best_epoch
    assert outcome.history["validation_ua"].nunique() > 1


@pytest.mark.parametrize("patience, epochs", [(1, 3), (2, 4), (3, 7), (20, 8)])
def test_training_stops_when_patience_runs_out(run, monkeypatch, patience, epochs):
    uas = [0.5, 0.6, 0.5, 0.6, 0.4, 0.4, 0.4, 0.7]
    if patience == 3:
        uas[3] = 0.65
    validated_as([(ua, 1.0) for ua in uas], monkeypatch)
    assert len(run(epochs=8, patience=patience).history) == epochs


def rescored(outcome, rows, table, store, experiment) -> tuple[np.ndarray, np.ndarray]:
    """True classes of some rows, and their probabilities by the weights that a run kept."""
    model = training.build_model(experiment)
    model.load_state_dict(outcome.weights)
    data = training.DeviceData(store, 257, outcome.mean, outcome.variance, torch.device("cpu"))
    truth = np.array([EMOTIONS.index(emotion) for emotion in table["emotion"].iloc[rows]])
    return truth, training.evaluate(model, data, rows)[0]


def test_validation_scores_are_those_of_the_validation_speaker(run, tiny_table, tiny_store, tiny_experiment):
    outcome = run(epochs=1, learning_rate=0.1)
    rows = find_fold(tiny_table, "speakers", 1).validation
    truth, probabilities = rescored(outcome, rows, tiny_table, tiny_store, tiny_experiment)
    right = probabilities.argmax(axis=1) == truth
    row = outcome.history.iloc[0]
    assert row.validation_wa == pytest.approx(right.mean())
    assert row.validation_ua == pytest.approx(np.mean([right[truth == emotion].mean() for emotion in range(4)]))
    assert row.validation_loss == pytest.approx(-np.log(probabilities[np.arange(len(rows)), truth]).mean())


# What is written down


def test_gradient_norms_are_those_of_each_steps_loss(run, monkeypatch):
    expected, models, true_build = [], [], training.build_model
    monkeypatch.setattr(training, "build_model", lambda settings: models.append(true_build(settings)) or models[-1])

    def cross_entropy(logits, labels):
        loss = functional.cross_entropy(logits, labels)
        names, parameters = zip(*models[-1].named_parameters(), strict=True)
        norms = {}
        for name, gradient in zip(names, torch.autograd.grad(loss, parameters, retain_graph=True), strict=True):
            layer = training.layer_of(name)
            norms[layer] = norms.get(layer, 0.0) + float(gradient.double().square().sum())
        expected.append({layer: total**0.5 for layer, total in norms.items()})
        return loss

    monkeypatch.setattr(training, "functional", SimpleNamespace(cross_entropy=cross_entropy))
    gradients = run(epochs=2, weight_decay=0.1).gradients
    assert gradients["epoch"].tolist() == [1] * 6 + [2] * 6 and gradients["step"].tolist() == [*range(1, 7)] * 2
    pd.testing.assert_frame_equal(
        gradients.drop(columns=["epoch", "step"]), pd.DataFrame(expected), check_dtype=False, rtol=1e-4
    )


def test_gradient_norms_are_taken_before_the_optimizers_step(run, monkeypatch):
    expected, true_step = run().gradients, BetaSGD.step

    def step(self):
        true_step(self)
        self.zero_grad(set_to_none=False)

    monkeypatch.setattr(BetaSGD, "step", step)
    pd.testing.assert_frame_equal(run().gradients, expected, check_exact=True)


def test_updates_are_how_far_each_layer_moved_as_a_share_of_what_it_was_before(run, monkeypatch):
    expected, models = [], []
    true_step, true_build = BetaSGD.step, training.build_model
    monkeypatch.setattr(training, "build_model", lambda settings: models.append(true_build(settings)) or models[-1])

    def weights() -> dict[str, torch.Tensor]:
        layers = {}
        for name, parameter in models[-1].named_parameters():
            layers.setdefault(training.layer_of(name), []).append(parameter.detach().double().flatten())
        return {layer: torch.cat(members) for layer, members in layers.items()}

    def step(self):
        before = weights()
        true_step(self)
        expected.append(
            {layer: float((w - before[layer]).norm() / before[layer].norm()) for layer, w in weights().items()}
        )

    monkeypatch.setattr(BetaSGD, "step", step)
    # Steps so large that it shows which weights they are a share of; all of eq. 6 and of its settings takes part.
    large = {"learning_rate": 0.1, "beta": 2.0, "weight_decay": 0.1, "recurrent_learning_rate": 0.3}
    updates = run(**large, beta_schedule="cosine", recurrent_normalisation="all").updates
    assert updates["epoch"].tolist() == [1] * 6 + [2] * 6 and updates["step"].tolist() == [*range(1, 7)] * 2
    pd.testing.assert_frame_equal(
        updates.drop(columns=["epoch", "step"]), pd.DataFrame(expected), check_dtype=False, rtol=1e-4
    )


def test_the_training_loss_is_the_mean_over_utterances_not_over_batches(run, tiny_table, tiny_store, tiny_experiment):
    outcome = run(epochs=1, learning_rate=1e-30, batch_size=32)  # 44 utterances: a whole batch and a small one
    rows = find_fold(tiny_table, "speakers", 1).train
    truth, probabilities = rescored(outcome, rows, tiny_table, tiny_store, tiny_experiment)
    assert outcome.history["training_loss"][0] == pytest.approx(
        -np.log(probabilities[np.arange(len(rows)), truth]).mean(), rel=1e-5
    )


def test_statistics_are_of_the_dataset_or_of_the_training_part(run, tiny_table, tiny_store):
    fold = find_fold(tiny_table, "speakers", 1)
    assert (run().mean, run().variance) == features.statistics(tiny_store, 257)
    strict = run(normalisation="training", oversampling=2)
    assert (strict.mean, strict.variance) == features.statistics(tiny_store, 257, fold.train)
    wide = run(frequency_range=8)
    assert (wide.mean, wide.variance) == features.statistics(tiny_store, 513)


def test_without_normalisation_the_network_reads_decibels(run, tiny_store):
    outcome = run(epochs=1, normalisation="none")
    assert (outcome.mean, outcome.variance) == (0, 1)
    data = training.DeviceData(tiny_store, 257, outcome.mean, outcome.variance, torch.device("cpu"))
    picture, strip = data.batch(np.array([7, 2]), Layout(1, 1))
    for (start, length), row in zip(strip.places(), (7, 2), strict=True):
        np.testing.assert_allclose(picture[:, start : start + length], tiny_store.picture(row, 257), rtol=1e-6)


def test_a_prediction_is_the_class_with_the_largest_probability(run):
    predictions = run(epochs=5, learning_rate=0.1).predictions
    probabilities = predictions[[f"p_{emotion}" for emotion in EMOTIONS]]
    assert predictions["prediction"].tolist() == probabilities.idxmax(axis=1).str.removeprefix("p_").tolist()
    assert probabilities.sum(axis=1).to_numpy() == pytest.approx(1)
    votes = predictions[[f"votes_{emotion}" for emotion in EMOTIONS]]
    assert predictions["prediction"].tolist() == votes.idxmax(axis=1).str.removeprefix("votes_").tolist()


def test_it_learns_what_can_be_learned(run):
    outcome = run(epochs=25, learning_rate=0.1)
    loss = outcome.history["training_loss"]
    assert loss.iloc[-1] < 0.5 * loss.iloc[0]
    assert (outcome.predictions["truth"] == outcome.predictions["prediction"]).mean() > 0.8
    assert outcome.history["validation_ua"].max() > 0.8


# A loss that is not finite


def spoil_the_loss_of_step(number: int, monkeypatch) -> None:
    """Let the loss of one step, from 1, be no number; an epoch has six."""
    calls = []

    def cross_entropy(logits, labels):
        calls.append(1)
        loss = functional.cross_entropy(logits, labels)
        return loss * float("nan") if len(calls) == number else loss

    monkeypatch.setattr(training, "functional", SimpleNamespace(cross_entropy=cross_entropy))


def test_a_loss_that_is_not_finite_names_epoch_batch_and_utterances(run, reads, monkeypatch, tiny_table):
    spoil_the_loss_of_step(8, monkeypatch)  # the second batch of epoch 2
    with pytest.raises(training.Diverged, match="not finite in epoch 2, batch 2, utterances") as caught:
        run(epochs=3)
    batches = [read.rows for read in reads if read.training]
    names = tiny_table["utterance"].iloc[batches[7]].tolist()
    assert f"utterances {', '.join(names)}: lower the learning rate" in str(caught.value)
    assert (caught.value.epoch, caught.value.batch, caught.value.utterances) == (2, 2, names)
    assert isinstance(caught.value, SerError)


@pytest.mark.parametrize("step, epochs", [(1, 0), (8, 1), (18, 2)])
def test_the_epochs_before_a_loss_that_is_not_finite_are_kept(run, monkeypatch, step, epochs):
    whole = run(epochs=3).history
    spoil_the_loss_of_step(step, monkeypatch)
    with pytest.raises(training.Diverged) as caught:
        run(epochs=3)
    assert len(caught.value.history) == epochs
    if epochs:
        pd.testing.assert_frame_equal(caught.value.history, whole.iloc[:epochs], check_exact=True)


def test_weights_that_the_last_step_of_an_epoch_spoilt_are_an_error_too(run, tiny_table):
    with pytest.raises(training.Diverged, match="not finite in epoch 1, validation, utterances .*: lower") as caught:
        run(epochs=1, batch_size=44, learning_rate=1e38)
    validation = tiny_table["utterance"].iloc[find_fold(tiny_table, "speakers", 1).validation].tolist()
    assert (caught.value.epoch, caught.value.batch, caught.value.utterances) == (1, None, validation)
    assert caught.value.history.empty


# Eq. 6: weight decay, settings of each module, schedules


def test_weight_decay_is_for_weight_matrices_alone(tiny_experiment):
    model = training.build_model(tiny_experiment)
    optimizer = training.build_optimizer(model, tiny_experiment.with_settings(weight_decay=0.3))
    decay = {id(parameter): group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]}
    assert {name: decay[id(parameter)] for name, parameter in model.named_parameters()} == {
        name: 0.3 if "weight" in name else 0.0 for name, _ in model.named_parameters()
    }


def test_weight_decay_adds_its_factor_times_the_weight_to_the_gradient(run):
    one_step = {"epochs": 1, "batch_size": 44, "learning_rate": 0.01}
    start = run(**one_step | {"learning_rate": 1e-30}, weight_decay=0).weights
    plain, decayed = (run(**one_step, weight_decay=factor).weights for factor in (0, 0.5))
    for name in start:
        expected = plain[name] - (0.01 * 0.5 * start[name] if "weight" in name else 0)
        torch.testing.assert_close(decayed[name], expected, rtol=0, atol=1e-6)


UPDATE_PARAMETERS = [("learning_rate", "lr", 0.04), ("momentum", "momentum", 0.5), ("beta", "beta", 3.0)]


@pytest.mark.parametrize("prefix, module", [("convolution", "convolutions"), ("recurrent", "lstm")])
@pytest.mark.parametrize("setting, key, value", UPDATE_PARAMETERS)
def test_a_modules_own_setting_reaches_its_parameters_and_no_others(
    tiny_experiment, prefix, module, setting, key, value
):
    experiment = tiny_experiment.with_settings(**{f"{prefix}_{setting}": value})
    model = training.build_model(experiment)
    optimizer = training.build_optimizer(model, experiment)
    groups = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
    common = {"lr": experiment.learning_rate, "momentum": experiment.momentum, "beta": experiment.beta}
    for name, parameter in model.named_parameters():
        expected = common | ({key: value} if name.startswith(module) else {})
        assert {setting: groups[id(parameter)][setting] for setting in common} == expected, name


@pytest.mark.parametrize("prefix, module", [("convolution", "convolutions"), ("recurrent", "lstm")])
def test_a_module_whose_learning_rate_is_next_to_nothing_stays_where_it_was(run, prefix, module):
    start = run(epochs=1, learning_rate=1e-30).weights
    trained = run(epochs=1, **{f"{prefix}_learning_rate": 1e-30}).weights
    rests = {name: torch.allclose(trained[name], start[name], rtol=0, atol=1e-20) for name in start}
    assert rests == {name: name.startswith(module) for name in start}


def test_a_constant_beta_is_a_rescaled_learning_rate(run):
    rescaled, halved = run(learning_rate=0.01), run(learning_rate=0.02, beta=0.5)
    pd.testing.assert_frame_equal(halved.history, rescaled.history, rtol=1e-4)
    pd.testing.assert_frame_equal(halved.updates, rescaled.updates, rtol=1e-3)
    columns = ["prediction", *(f"p_{emotion}" for emotion in EMOTIONS)]
    pd.testing.assert_frame_equal(halved.predictions[columns], rescaled.predictions[columns], rtol=1e-4)


def test_schedules_follow_the_planned_steps_and_multiply_a_modules_own_setting_too(run, monkeypatch):
    seen, true_step = [], BetaSGD.step

    def step(self):
        seen.append({(group["module"], key): group[key] for group in self.param_groups for key in self.defaults})
        true_step(self)

    monkeypatch.setattr(BetaSGD, "step", step)
    run(
        epochs=2, learning_rate_schedule="cosine", momentum_schedule="warmup", beta_schedule="cosine", beta=2.0,
        convolution_learning_rate=0.04,
    )  # fmt: skip
    cosine, warmup = ([SHAPES[shape](step / 12) for step in range(12)] for shape in ("cosine", "warmup"))
    assert cosine[0] == 1 and 0 < cosine[-1] < 0.02 and warmup[0] == 0.1 and warmup[-1] == 1
    for key, factors in (
        (("lstm", "lr"), [0.01 * factor for factor in cosine]),
        (("convolutions", "lr"), [0.04 * factor for factor in cosine]),
        (("dense", "momentum"), [0.9 * factor for factor in warmup]),
        (("dense", "beta"), [2.0 * factor for factor in cosine]),
    ):
        assert [values[key] for values in seen] == pytest.approx(factors), key


def test_a_run_that_stops_early_has_not_come_to_the_end_of_its_schedule(run, monkeypatch):
    rates, true_step = [], BetaSGD.step
    monkeypatch.setattr(BetaSGD, "step", lambda self: rates.append(self.param_groups[0]["lr"]) or true_step(self))
    validated_as([(0.5, 1.0)] * 4, monkeypatch)
    run(epochs=4, patience=1, learning_rate_schedule="cosine")
    assert rates == pytest.approx([0.01 * SHAPES["cosine"](step / 24) for step in range(12)])


# Running statistics of recurrent batch normalisation


@pytest.fixture
def contributions(monkeypatch) -> list:
    """Mean and variance of the first Bi-LSTM layer's input contribution, forward, for each batch trained on."""
    seen, true_recur = [], ConvLSTM.recur

    def recur(self, features, strip):
        if self.training:
            valid = torch.cat([features[start : start + length] for start, length in strip.places()])
            contribution = (valid @ self.lstm.weight_ih_l0.T).detach().double()
            seen.append((float(contribution.mean()), float(contribution.var(unbiased=False))))
        return true_recur(self, features, strip)

    monkeypatch.setattr(ConvLSTM, "recur", recur)
    return seen


def running_statistics(outcome: training.Outcome) -> list[float]:
    return [float(outcome.weights[f"lstm.running_{kind}_l0"]) for kind in ("mean", "var")]


@pytest.mark.parametrize("epochs", [1, 2])
def test_running_statistics_are_the_mean_over_the_batches_of_the_present_epoch(run, monkeypatch, contributions, epochs):
    validated_as([(0.1 * epoch, 1.0) for epoch in range(epochs)], monkeypatch)  # the last epoch is kept
    outcome = run(epochs=epochs, recurrent_normalisation="all", learning_rate=0.1)
    assert int(outcome.weights["lstm.num_batches_tracked"]) == 6 and len(contributions) == 6 * epochs
    assert running_statistics(outcome) == pytest.approx(np.mean(contributions[-6:], axis=0), rel=1e-4, abs=1e-6)


def test_with_a_fixed_weight_running_statistics_go_on_from_epoch_to_epoch(run, monkeypatch, contributions):
    validated_as([(0.1, 1.0), (0.2, 1.0)], monkeypatch)
    outcome = run(epochs=2, recurrent_normalisation="all", statistics_momentum=0.3, learning_rate=0.1)
    expected = np.array([0.0, 1.0])
    for moments in contributions:
        expected += 0.3 * (np.array(moments) - expected)
    assert int(outcome.weights["lstm.num_batches_tracked"]) == 12
    assert running_statistics(outcome) == pytest.approx(expected, rel=1e-4, abs=1e-6)


# Batches and evaluation


@pytest.mark.parametrize("alphas", [None, torch.tensor([0.9, 1.0, 1.1], dtype=torch.float64)])
def test_a_batch_is_each_utterance_warped_and_normalised_with_zeros_between(tiny_store, alphas):
    data = training.DeviceData(tiny_store, 257, -62.0, 150.0, torch.device("cpu"))
    rows = np.array([7, 2, 30])
    batch, strip = data.batch(rows, Layout(4, 6), alphas)
    assert strip.lengths.tolist() == tiny_store.lengths[rows].tolist() and batch.shape == (257, strip.width)
    for place, row in enumerate(rows):
        start, length = list(strip.places())[place]
        picture = torch.from_numpy(tiny_store.picture(row, 257).copy())
        if alphas is not None:
            picture = vtlp.warp(picture.T, float(alphas[place])).T
        expected = (picture + 62) / (150 + 1e-8) ** 0.5
        torch.testing.assert_close(batch[:, start : start + length], expected)
    assert (batch[:, strip.gaps()] == 0).all()


@pytest.mark.parametrize("alphas", [None, torch.tensor([0.9, 1.0, 1.1], dtype=torch.float64)])
def test_a_batch_on_a_gpu_is_the_same_and_takes_no_operation_for_each_utterance(tiny_store, alphas, monkeypatch):
    """The branch for CUDA; here it runs on the CPU."""
    data = training.DeviceData(tiny_store, 257, -62.0, 150.0, torch.device("cpu"))
    rows = np.array([7, 2, 30])
    expected, _ = data.batch(rows, Layout(4, 6), alphas)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    monkeypatch.setattr(vtlp, "warp_into", None)
    batch, strip = data.batch(rows, Layout(4, 6), alphas)
    monkeypatch.undo()
    torch.testing.assert_close(batch, expected, rtol=0, atol=1e-5)
    assert (batch[:, strip.gaps()] == 0).all()


def test_evaluation_in_batches_equals_one_by_one(tiny_store, tiny_experiment, monkeypatch):
    model = training.build_model(tiny_experiment)
    data = training.DeviceData(tiny_store, 257, -62.0, 150.0, torch.device("cpu"))
    rows = np.array([40, 3, 3, 65, 12, 0, 21, 8])
    alphas = 0.9 + 0.2 * torch.rand(3, len(rows), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for warps in (None, alphas):
        together = training.evaluate(model, data, rows, warps)
        assert together.shape == (1 if warps is None else 3, 8, 4)
        np.testing.assert_allclose(together.sum(axis=2), 1, rtol=0, atol=1e-12)
        for place, row in enumerate(rows):
            alone = training.evaluate(
                model, data, np.array([row]), None if warps is None else warps[:, place : place + 1]
            )
            np.testing.assert_allclose(together[:, place], alone[:, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("most", [1, 40, 10_000])
def test_evaluated_groups_hold_every_utterance_once_within_the_memory_bound(most, monkeypatch, tiny_store):
    monkeypatch.setattr(training, "EVALUATED_FRAMES", most)
    groups = training._alike(tiny_store.lengths, 11)
    assert sorted(np.concatenate(groups)) == list(range(len(tiny_store.lengths)))
    for group in groups:
        assert len(group) == 1 or 11 * tiny_store.lengths[group].sum() <= most


@pytest.mark.parametrize(
    "settings", [{"vtlp": "utterance"}, {"recurrent_normalisation": "all"}, {"pooling": "max"}], ids=str
)
def test_a_step_of_training_asks_the_device_for_nothing(tiny_table, tiny_store, tiny_experiment, settings):
    """On the device ``meta`` nothing has a value: whoever waits for one, as a host does for a GPU, fails."""
    experiment, fold = tiny_experiment.with_settings(**settings), find_fold(tiny_table, "speakers", 1)
    run = training._Run(tiny_table, tiny_store, experiment, fold, 0, torch.device("meta"))
    rows = run.training_rows[:8]
    for _ in range(2):
        loss, gradients, updates = run._step(rows, run._training_alphas(len(rows)), 2)
        assert {part.device.type for part in (loss, gradients, updates)} == {"meta"}
    with pytest.raises(RuntimeError):
        float(loss)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_scores_as_the_cpu_does(tiny_store, tiny_experiment):
    model = training.build_model(tiny_experiment)
    scores = []
    for device in map(torch.device, ("cpu", "cuda")):
        data = training.DeviceData(tiny_store, 257, -62.0, 150.0, device)
        scores.append(training.vote(model.to(device), data, np.arange(20), 11))
    np.testing.assert_allclose(*scores, rtol=0, atol=1e-4)


def test_the_probabilities_of_a_vote_are_the_mean_over_its_copies():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=(11, 5))
    table = training.votes_table(probabilities)
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    np.testing.assert_allclose(table[columns], probabilities.mean(axis=0), rtol=0, atol=1e-15)


def test_no_seed_of_a_fold_is_another_seed_of_another_fold(run):
    """Were seed and fold added up, the seeds of a speaker would be the weights of the next speaker once more."""
    pairs = [(0, 1), (1, 0 + 1), (0, 2), (1, 2), (2, 1)]
    starts = [run(seed=seed, fold=fold, learning_rate=1e-30, epochs=1).weights["dense.weight"] for seed, fold in pairs]
    for place, one in enumerate(starts):
        assert not any(torch.equal(one, other) for other in starts[place + 1 :])


def test_order_warps_and_validation_have_random_streams_of_their_own(tiny_table, tiny_store, tiny_experiment, reads):
    """What validation draws moves no draw of training: who validates changes nothing but the choice of the epoch."""
    fold = find_fold(tiny_table, "speakers", 1)
    own = training._Run(tiny_table, tiny_store, tiny_experiment, fold, 0, torch.device("cpu"))
    assert len({stream.initial_seed() for stream in (own.shuffling, own.warping, own.validating)}) == 3
    drawn, experiment = [], tiny_experiment.with_settings(vtlp="utterance", epochs=3)
    for validation in (fold.validation, fold.validation[1:]):
        reads.clear()
        training.train(tiny_table, tiny_store, experiment, dataclasses.replace(fold, validation=validation), 0)
        drawn.append(torch.cat([read.alphas for read in reads if read.training]))
    assert torch.equal(*drawn)
