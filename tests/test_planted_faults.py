"""The suite catches what it is there for: each fault is planted in a copy, and the test that guards against it fails.

A test that cannot fail protects nothing. Every fault here is one that published code of this field has had, or that is
easily made: one edit of one place, which must be there exactly once, so that a fault cannot rot away unnoticed.
"""

import multiprocessing
import re
import runpy
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
# torch loads the last two when it first needs them, which takes seconds: better once than for every fault.
LIBRARIES = [
    "pandas", "sklearn.metrics", "scipy.signal", "scipy.stats", "soundfile", "pydantic", "safetensors.torch", "tqdm",
    "pytest", "torch", "torch._dynamo", "torch.distributed.tensor",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One wrong edit of one file, and the test that must notice."""

    name: str
    file: str
    right: str
    wrong: str
    test: str


FAULTS = [
    # Leaks between speakers
    Fault(
        "the validation speaker is trained on, too",
        "ser_lib/folds.py",
        "train=np.flatnonzero(session_by_row != row.session)",
        "train=np.flatnonzero(by_row != row.speaker)",
        "tests/test_folds.py::test_no_speaker_is_in_two_parts_of_a_fold[tiny]",
    ),
    Fault(
        "the test speaker is trained on, too",
        "ser_lib/training.py",
        "oversample(fold.train, emotions,",
        "oversample(np.concatenate([fold.train, fold.test]), emotions,",
        "tests/test_training.py::test_each_epoch_trains_on_every_training_utterance_once_and_on_nobody_else",
    ),
    Fault(
        "who wears the markers is taken for the speaker",
        "ser_lib/corpora/iemocap.py",
        'parts["speaker"]',
        'parts["wearer"]',
        "tests/corpora/test_iemocap.py::test_the_speaker_is_the_letter_before_the_last_digits",
    ),
    Fault(
        "the speaker's letter is read at a fixed column",
        "ser_lib/corpora/iemocap.py",
        'parts["speaker"]',
        "name[15]",
        "tests/corpora/test_iemocap.py::test_the_speaker_is_the_letter_before_the_last_digits",
    ),
    Fault(
        "the epoch is chosen on the test speaker",
        "ser_lib/training.py",
        "rows = self.fold.validation",
        "rows = self.fold.test",
        "tests/test_training.py::test_test_utterances_are_read_once_and_after_everything_else",
    ),
    Fault(
        "statistics of the training part are those of the whole dataset",
        "ser_lib/training.py",
        'rows = fold.train if experiment.normalisation == "training" else None',
        "rows = None",
        "tests/test_training.py::test_statistics_are_of_the_dataset_or_of_the_training_part",
    ),
    # Labels and scores
    Fault(
        "sadness and anger are swapped where labels are read",
        "ser_lib/corpora/iemocap.py",
        '    "sad": "sadness",\n    "ang": "anger",\n',
        '    "sad": "anger",\n    "ang": "sadness",\n',
        "tests/corpora/test_iemocap.py",
    ),
    Fault(
        "classes are named in another order than they were learned in",
        "ser_lib/training.py",
        "[EMOTIONS[winner] for winner in winners]",
        "[sorted(EMOTIONS)[winner] for winner in winners]",
        "tests/test_training.py::test_a_prediction_is_the_class_with_the_largest_probability",
    ),
    Fault(
        "a tied vote goes to the smaller probability",
        "ser_lib/metrics.py",
        "np.where(leading, summed, -np.inf)",
        "np.where(leading, -summed, -np.inf)",
        "tests/test_metrics.py::test_a_tie_goes_to_the_larger_summed_probability",
    ),
    Fault(
        "a tied vote goes to the first class",
        "ser_lib/metrics.py",
        "np.where(leading, summed, -np.inf).argmax(axis=1)",
        "votes.argmax(axis=1)",
        "tests/test_metrics.py::test_a_tie_goes_to_the_larger_summed_probability",
    ),
    Fault(
        "the copies' probabilities are averaged instead of a vote",
        "ser_lib/metrics.py",
        "np.where(leading, summed, -np.inf).argmax(axis=1)",
        "summed.argmax(axis=1)",
        "tests/test_metrics.py::test_the_majority_wins_against_a_more_certain_minority",
    ),
    Fault(
        "unweighted accuracy counts utterances, not classes",
        "ser_lib/metrics.py",
        "float(recall_per_class(truth, prediction, labels).mean())",
        "weighted_accuracy(truth, prediction)",
        "tests/test_metrics.py::test_scores_by_hand",
    ),
    # Warps
    Fault(
        "the warp is the inverse of eq. 1",
        "ser_lib/vtlp.py",
        "position = source_frequency(target,",
        "position = warped_frequency(target,",
        "tests/test_vtlp.py::test_alpha_above_one_moves_energy_up_and_below_one_down",
    ),
    Fault(
        "the end of the spectrum is not held",
        "ser_lib/vtlp.py",
        "above = (1 - f0) / (1 - knee) * (g - knee) + f0",
        "above = g / alpha",
        "tests/test_vtlp.py::test_the_first_and_the_last_bin_stay[1.1]",
    ),
    Fault(
        "one alpha for a whole epoch warps validation, too",
        "ser_lib/training.py",
        'if self.experiment.vtlp == "utterance":',
        'if self.experiment.vtlp != "none":',
        "tests/test_training.py::test_strategy_one_draws_one_alpha_for_all_in_an_epoch_and_none_for_validation",
    ),
    # Padding
    Fault(
        "padding is not cleared after the convolutions",
        "ser_lib/strip.py",
        "maps.relu_().index_fill_(3, gaps, 0)",
        "maps.relu_()",
        "tests/test_model.py::test_an_utterance_scores_the_same_alone_and_in_a_batch_with_longer_ones",
    ),
    Fault(
        "what is given behind an utterance is laid on the strip, too",
        "ser_lib/strip.py",
        "parts = [picture[:, :length] for",
        "parts = [picture[:, : length + 1] for",
        "tests/test_model.py::test_more_padding_and_whatever_is_in_it_change_neither_scores_nor_gradients",
    ),
    Fault(
        "gaps of a batch are silent, not zero",
        "ser_lib/training.py",
        "picture = self.strip.new_full((self.strip.shape[0], strip.width), self.mean)",
        "picture = self.strip.new_full((self.strip.shape[0], strip.width), -80.0)",
        "tests/test_training.py::test_a_batch_is_each_utterance_warped_and_normalised_with_zeros_between",
    ),
    Fault(
        "an utterance is warped as its neighbour should be",
        "ser_lib/vtlp.py",
        "below, weight = below.to(pictures[0].device), weight.to(pictures[0])",
        "below, weight = below.flip(0), weight.flip(0).to(pictures[0])",
        "tests/test_vtlp.py::test_spectrograms_of_several_lengths_are_each_warped_by_its_own_alpha",
    ),
    Fault(
        "a kernel reaches from one utterance into the next",
        "ser_lib/strip.py",
        "gap = max(gap, kernel // 2 * multiple)",
        "gap = max(gap, kernel // 2)",
        "tests/test_strip.py::test_the_gap_that_is_asked_for_keeps_neighbours_apart_and_no_smaller_one_does",
    ),
    Fault(
        "utterances start where the strides do not meet",
        "ser_lib/strip.py",
        "room = strided_length(lengths + layout.gap, layout.multiple) * layout.multiple",
        "room = lengths + layout.gap + layout.multiple",
        "tests/test_model.py::test_an_utterance_scores_the_same_alone_and_in_a_batch_with_longer_ones",
    ),
    Fault(
        "ReLU hands on the gradient of what it cleared",
        "ser_lib/strip.py",
        "return torch.ops.aten.threshold_backward(grad, maps, 0), None",
        "return grad, None",
        "tests/test_strip.py::test_relu_clears_gaps_and_has_the_gradient_of_both",
    ),
    Fault(
        "lengths are not carried through the strides",
        "ser_lib/strip.py",
        "return Strip(self.starts // stride, strided_length(self.lengths, stride), strided_length(self.width, stride))",
        "return Strip(self.starts // stride, self.lengths.clamp(max=self.width // stride), self.width // stride)",
        "tests/test_model.py::test_an_utterance_scores_the_same_alone_and_in_a_batch_with_longer_ones",
    ),
    Fault(
        "the mean counts padded steps, too",
        "ser_lib/recurrence.py",
        "own.to(outputs) / self.lengths.unsqueeze(1)",
        "own.to(outputs) / self.lengths.max()",
        "tests/test_model.py::test_an_utterance_scores_the_same_alone_and_in_a_batch_with_longer_ones",
    ),
    Fault(
        "the mean of eq. 2 counts padded frames",
        "ser_lib/features.py",
        "mean = total / count",
        "mean = total / (bins * len(store.lengths) * store.lengths.max())",
        "tests/test_features.py::test_statistics_are_those_of_all_pixels_of_the_utterances_each_counted_once",
    ),
    Fault(
        "eq. 2 takes a standard deviation for a variance",
        "ser_lib/features.py",
        "float(square / count - mean**2)",
        "float((square / count - mean**2) ** 0.5)",
        "tests/test_features.py::test_after_eq_2_the_pixels_have_mean_0_and_variance_1",
    ),
    # Pooling
    Fault(
        "pooling cuts the end off where strides do not",
        "ser_lib/model.py",
        "functional.max_pool2d(maps, stride, ceil_mode=True)",
        "functional.max_pool2d(maps, stride)",
        "tests/test_model.py::test_pooling_leaves_as_many_bins_and_frames_as_strides_do",
    ),
    Fault(
        "lengths are not carried through pooling",
        "ser_lib/model.py",
        "                strip = strip.strided(stride[1])\n",
        "",
        "tests/test_model.py::test_pooling_leaves_as_many_bins_and_frames_as_strides_do",
    ),
    Fault(
        "convolutions keep their strides beside pooling",
        "ser_lib/model.py",
        'stride if pooling == "none" else 1, padding',
        "stride, padding",
        "tests/test_model.py::test_pooling_leaves_as_many_bins_and_frames_as_strides_do",
    ),
    # The loop
    Fault(
        "validation is oversampled, too",
        "ser_lib/training.py",
        "rows = self.fold.validation",
        'rows = oversample(self.fold.validation, self.table["emotion"].to_numpy(), self.experiment.oversampling)',
        "tests/test_training.py::test_oversampling_repeats_happiness_and_anger_in_training_and_nothing_elsewhere",
    ),
    Fault(
        "gradients are logged after they are set to zero",
        "ser_lib/training.py",
        "        gradients, weights = gradient_norms(self.layers), weight_norms(self.layers)\n"
        "        self.optimizer.step()\n",
        "        weights = weight_norms(self.layers)\n        self.optimizer.step()\n"
        "        self.optimizer.zero_grad(set_to_none=False)\n        gradients = gradient_norms(self.layers)\n",
        "tests/test_training.py::test_gradient_norms_are_those_of_each_steps_loss",
    ),
    Fault(
        "gradients are logged after the optimizer's step",
        "ser_lib/training.py",
        "        gradients, weights = gradient_norms(self.layers), weight_norms(self.layers)\n"
        "        self.optimizer.step()\n",
        "        weights = weight_norms(self.layers)\n        self.optimizer.step()\n"
        "        gradients = gradient_norms(self.layers)\n",
        "tests/test_training.py::test_gradient_norms_are_taken_before_the_optimizers_step",
    ),
    Fault(
        "updates are a share of the weights after them",
        "ser_lib/training.py",
        "        gradients, weights = gradient_norms(self.layers), weight_norms(self.layers)\n"
        "        self.optimizer.step()\n",
        "        gradients = gradient_norms(self.layers)\n        self.optimizer.step()\n"
        "        weights = weight_norms(self.layers)\n",
        "tests/test_training.py::test_updates_are_how_far_each_layer_moved_as_a_share_of_what_it_was_before",
    ),
    Fault(
        "gradients add up from batch to batch",
        "ser_lib/training.py",
        "        self.optimizer.zero_grad()\n",
        "",
        "tests/test_training.py::test_gradient_norms_are_those_of_each_steps_loss",
    ),
    Fault(
        "the last epoch is kept",
        "ser_lib/training.py",
        "if score > best:",
        "if True:",
        "tests/test_training.py::test_the_epoch_with_the_best_validation_ua_is_kept",
    ),
    Fault(
        "the weights of the kept epoch go on being trained",
        "ser_lib/training.py",
        "copy.deepcopy(self.model.state_dict())",
        "self.model.state_dict()",
        "tests/test_training.py::test_the_epoch_with_the_best_validation_ua_is_kept",
    ),
    Fault(
        "every epoch has the same order",
        "ser_lib/training.py",
        "torch.randperm(len(self.training_rows), generator=self.shuffling)",
        "torch.randperm(len(self.training_rows), generator=torch.Generator().manual_seed(0))",
        "tests/test_training.py::test_the_order_of_training_is_drawn_anew_every_epoch",
    ),
    Fault(
        "the order is not drawn from the run's seed",
        "ser_lib/training.py",
        "torch.randperm(len(self.training_rows), generator=self.shuffling)",
        "torch.randperm(len(self.training_rows))",
        "tests/test_training.py::test_the_same_seed_gives_the_same_run_bit_for_bit",
    ),
    Fault(
        "running statistics go on from epoch to epoch",
        "ser_lib/training.py",
        "self.model.lstm.reset_running_stats()",
        "pass",
        "tests/test_training.py::test_running_statistics_are_the_mean_over_the_batches_of_the_present_epoch[2]",
    ),
    # Eqs. 3 to 5
    Fault(
        "padding counts in the statistics of eq. 4",
        "ser_lib/recurrent_bn.py",
        "values.sum(dim=(0, 2, 3)).unsqueeze(1) / (frames * gates * hidden)",
        "values.sum(dim=(0, 2, 3)).unsqueeze(1) / ((steps == 0).sum() * (steps.max() + 1) * gates * hidden)",
        "tests/test_recurrent_bn.py::test_statistics_by_hand_are_over_valid_frames_alone[all-mean0-variance0]",
    ),
    Fault(
        "eq. 3 divides by the variance",
        "ser_lib/recurrent_bn.py",
        "(variance + eps).rsqrt()",
        "(variance.square() + eps).rsqrt()",
        "tests/test_recurrent_bn.py::test_outputs_statistics_and_gradients_are_those_of_a_plain_loop",
    ),
    Fault(
        "no gradient flows through the variance",
        "ser_lib/recurrent_bn.py",
        "average(centred.square(), scope, steps)",
        "average(centred.detach().square(), scope, steps)",
        "tests/test_recurrent_bn.py::test_outputs_statistics_and_gradients_are_those_of_a_plain_loop",
    ),
    Fault(
        "the backward direction reads the next utterance's frames",
        "ser_lib/recurrence.py",
        "mirror=first[lengths[utterances] - 1 - steps] + rank,",
        "mirror=first[lengths[utterances] - 1 - steps] + (rank + 1) % sizes[lengths[utterances] - 1 - steps],",
        "tests/test_recurrence.py::test_outputs_states_and_gradients_are_those_of_torch",
    ),
    Fault(
        "on a GPU the last states are those of the utterances by length",
        "ser_lib/recurrence.py",
        "return outputs, hidden.index_select(1, order), cell.index_select(1, order)",
        "return outputs, hidden, cell",
        "tests/test_recurrence.py::test_pre_activations_handed_through_torchs_lstm_give_the_same",
    ),
    Fault(
        "on a GPU a gap's columns are warped as the next utterance's",
        "ser_lib/strip.py",
        "torch.searchsorted(self.starts, torch.arange(self.width), right=True) - 1",
        "torch.searchsorted(self.starts, torch.arange(self.width)).clamp(max=len(self.starts) - 1)",
        "tests/test_strip.py::test_each_column_is_its_utterances_or_lies_behind_it",
    ),
    Fault(
        "a store of spectrograms that older code made is trained on",
        "ser_lib/features.py",
        '        "code": _code(),\n',
        "",
        "tests/test_features.py::test_other_code_or_another_library_is_another_store",
    ),
    Fault(
        "code that gave something else is taken for the same",
        "ser_lib/collection.py",
        'own = repeats[(repeats["corpus"] == corpus) & (repeats["experiment"] == name) & repeats["same"]]',
        'own = repeats[(repeats["corpus"] == corpus) & (repeats["experiment"] == name)]',
        "tests/test_repeats.py::test_code_that_gave_the_same_is_collected_together_and_no_other",
    ),
    Fault(
        "only the predictions of a run that is made again are compared",
        "ser_lib/repeats.py",
        "same = _digits(outcome.history[_EPOCH_COLUMNS]) == _digits(history[_EPOCH_COLUMNS]) and (",
        "same = (",
        "tests/test_repeats.py::test_a_difference_anywhere_is_not_the_same",
    ),
    Fault(
        "of two processes that keep a repetition at once, one undoes the other",
        "ser_lib/files.py",
        "            fcntl.flock(handle, fcntl.LOCK_EX)",
        "            pass",
        "tests/test_repeats.py::test_what_two_processes_keep_at_once_is_both_kept",
    ),
    Fault(
        "a run that was made again is told to be what it was compared with",
        "ser_lib/repeats.py",
        '        **_accuracies(outcome.predictions, ""),',
        '        **_accuracies(predictions, ""),',
        "tests/test_repeats.py::test_predictions_that_are_others_are_counted",
    ),
    Fault(
        "of runs that are scored at once, each has recalls of the others",
        "ser_lib/scoring.py",
        "recalls.mean(axis=1)",
        "recalls.mean(axis=1)[::-1]",
        "tests/test_scoring.py::test_runs_scored_at_once_have_the_scores_of_each_one_alone",
    ),
    Fault(
        "of runs that are scored at once, each has the accuracy of another",
        "ser_lib/scoring.py",
        'rows["correct"] / rows["utterances"]',
        'rows["correct"][::-1].to_numpy() / rows["utterances"]',
        "tests/test_scoring.py::test_runs_scored_at_once_have_the_scores_of_each_one_alone",
    ),
    Fault(
        "what was made again with other settings stands in for a collected run",
        "ser_lib/collection.py",
        'run = load_repeats(), [*IDENTITY, "configuration", "fingerprint"]',
        "run = load_repeats(), IDENTITY",
        "tests/test_repeats.py::"
        "test_a_repetition_of_other_settings_or_another_corpus_than_the_collected_run_is_none_of_it",
    ),
    Fault(
        "a verdict with runs made again is that of the runs collected",
        "ser_lib/findings.py",
        'others["again"] = claim.judge(again, corpus)',
        'others["again"] = claim.judge(evidence, corpus)',
        "tests/test_findings.py::test_a_verdict_that_another_machine_does_not_find_is_named_with_what_it_finds",
    ),
    Fault(
        "a difference with the runs made again is the collected one",
        "ser_lib/provenance.py",
        "for of in (scored, again))",
        "for of in (scored, scored))",
        "tests/test_repeats.py::"
        "test_a_difference_again_is_of_the_runs_made_again_where_there_are_some_and_of_the_collected_ones_elsewhere",
    ),
    Fault(
        "runs made again on the same processor speak for how far a GPU is from it",
        "ser_lib/provenance.py",
        'other = repeats[(repeats["hardware"] != repeats["hardware_before"]) & repeats["ua"].notna()]',
        'other = repeats[repeats["ua"].notna()]',
        "tests/test_repeats.py::test_agreement_is_of_other_hardware_alone_and_counts_a_fold_once",
    ),
    Fault(
        "an owner of IEMOCAP does not find their runs on the pages",
        "ser_lib/provenance.py",
        "return [corpus for corpus in CORPORA if corpus in found]",
        "return [corpus for corpus in CORPORA[:3] if corpus in found]",
        "tests/test_provenance.py::test_a_page_shows_every_corpus_that_was_run_in_one_order_and_no_other",
    ),
    Fault(
        "what differs from seed to seed is taken for a difference of speakers",
        "ser_lib/inference.py",
        " / (scores.var(axis=-1, ddof=1).mean(axis=-1) + never_zero)",
        " / never_zero",
        "tests/test_claims.py::test_speakers_differ_only_if_they_do_so_by_more_than_the_runs_of_one",
    ),
    Fault(
        "the printed scores are taken for one score, and the spread of speakers for doubt about it",
        "ser_lib/statements.py",
        '.groupby("test_speaker")[self.metric].mean() - printed).dropna()',
        '.groupby("test_speaker")[self.metric].mean() - printed.mean()).dropna()',
        "tests/test_claims.py::test_printed_scores_are_reached_speaker_by_speaker_to_two_points",
    ),
    Fault(
        "the utterances of a speaker are taken for easier than those of another because these few were",
        "ser_lib/inference.py",
        "order = random.permuted(np.tile(np.arange(len(values)), (draws, 1)), axis=1)",
        "order = random.integers(len(values), size=(draws, len(values))) * 0",
        "tests/test_claims.py::test_speakers_who_differ_by_chance_alone_are_found_to_differ_no_more_often_than_that",
    ),
    Fault(
        "what trained alike with other settings is taken for alike with these",
        "ser_lib/collection.py",
        'own = own[own["configuration"].isna() | own["configuration"].isin(runs["configuration"])]',
        "own = own[own.index >= 0]",
        "tests/test_repeats.py::test_code_that_gave_the_same_is_collected_together_and_no_other",
    ),
    Fault(
        "runs that were moved aside so as not to count are collected under another name",
        "ser_lib/collection.py",
        "if file.parts[-4:-1] != record.made_as:",
        "if file.parts[-3:-1] != record.made_as[1:]:",
        "tests/test_collection.py::test_what_was_moved_aside_or_copied_does_not_count_wherever_it_lies",
    ),
    Fault(
        "all commits that lack the code are taken for one version of it",
        "ser_lib/origins.py",
        "    if not there:\n        return version\n",
        "",
        "tests/test_origins.py::test_a_checkout_of_something_else_around_the_project_names_no_code_of_it",
    ),
    Fault(
        "tables that do not belong together are sealed by the next collection",
        "ser_lib/collection.py",
        "if named - new != answered - new:",
        "if named & new != answered & new:",
        "tests/test_collection.py::test_what_was_collected_before_and_does_not_belong_together_is_not_sealed",
    ),
    Fault(
        "what diverged on another selection of a corpus is counted as a run of this one",
        "ser_lib/collection.py",
        "failures = failures[~other]",
        "failures = failures[~other | True]",
        "tests/test_collection.py::test_a_failure_on_another_version_of_the_corpus_is_none_of_its_runs",
    ),
    Fault(
        "pages look for results in their own folder",
        "ser_lib/paths.py",
        "return PROJECT / Path(value).expanduser() if value else None",
        "return Path(value).expanduser() if value else None",
        "tests/test_paths.py::test_a_relative_folder_of_the_environment_is_one_whatever_folder_a_process_runs_in",
    ),
    Fault(
        "a mean over the folds that are left hides those whose runs diverged",
        "ser_lib/tables/cells.py",
        "if of_experiment(failures, corpus, experiment).empty:",
        "if len(scored):",
        "tests/test_tables.py::test_no_table_hides_runs_that_diverged",
    ),
    Fault(
        "true is taken for 1, and a run that asks for oversampling has none",
        "ser_lib/experiments.py",
        "if isinstance(value, bool):",
        "if isinstance(value, bool) and not value:",
        "tests/test_experiments.py::test_true_and_false_are_not_taken_for_one_and_zero",
    ),
    Fault(
        "results say where on a machine a corpus lay",
        "ser_lib/corpora/table.py",
        """.replace(f"{root}/", ""))""",
        ")",
        "tests/corpora/test_iemocap.py::test_audio_without_label",
    ),
    Fault(
        "runs whose patience ran out in the last epoch are taken for runs that the limit ended",
        "ser_lib/tables/training.py",
        'waiting = part["epochs"] - part["best_epoch"] < settings.patience',
        'waiting = part["epochs"] - part["best_epoch"] <= settings.patience',
        "tests/test_tables.py::test_how_training_ended_counts_runs_that_the_limit_ended_while_there_was_patience_left",
    ),
    Fault(
        "a network overfits more than one that scores a little above guessing, and has learned nothing",
        "ser_lib/statements.py",
        "if not len(parts[1]) or (parts[1].mean() >= 0.5 and not nothing):",
        "if not len(parts[1]) or not nothing:",
        "tests/test_claims.py::test_a_network_that_learns_nothing_does_not_make_another_overfit",
    ),
    Fault(
        "a network that learns sooner is found to overfit faster by any count",
        "ser_lib/statements.py",
        "return turning_point(history) - epochs_to_learn(history) if learns(history) else math.nan",
        "return turning_point(history) if learns(history) else math.nan",
        "tests/test_claims.py::test_what_learns_sooner_is_not_taken_to_overfit_faster_for_it",
    ),
    Fault(
        "a network overfits more than one that has learned nothing",
        "ser_lib/statements.py",
        "if course.of_learners:",
        "if not course.of_learners:",
        "tests/test_claims.py::test_a_network_that_learns_nothing_does_not_make_another_overfit",
    ),
    Fault(
        "what a larger batch does to the network without the technique is put down to the technique",
        "ser_lib/statements.py",
        "((scores[0] - scores[1]) - (scores[2] - scores[3]))",
        "(scores[0] - scores[2])",
        "tests/test_claims.py::test_what_one_technique_gains_is_set_against_what_another_does_on_the_same_runs",
    ),
    Fault(
        "to have found no gain is taken for there being none",
        "ser_lib/verdicts.py",
        "outcome = HOLDS if below and len(compared) == len(differences) else UNDECIDED",
        "outcome = HOLDS if len(compared) == len(differences) else UNDECIDED",
        "tests/test_claims.py::test_none_better_fails_only_by_an_experiment_that_is_better_after_correction",
    ),
    Fault(
        "a GPU rounds to TF32 unasked",
        "ser_lib/device.py",
        "backend.fp32_precision = _PRECISIONS[precision]",
        "backend.fp32_precision = 'tf32'",
        "tests/test_device.py::test_all_that_a_gpu_multiplies_is_in_the_precision_asked_for_and_only_meanwhile",
    ),
    Fault(
        "evaluation is normalised with its own batch",
        "ser_lib/recurrent_bn.py",
        "        if self.training:\n            normalised, moments",
        "        if True:\n            normalised, moments",
        "tests/test_recurrent_bn.py::test_evaluation_takes_the_running_statistics_and_leaves_them",
    ),
    # Eq. 6
    Fault(
        "momentum is applied after β: it accumulates in the velocity",
        "ser_lib/optim.py",
        'torch._foreach_add_(parameters, velocities, alpha=-group["beta"])',
        'torch._foreach_mul_(velocities, group["beta"])\n            torch._foreach_sub_(parameters, velocities)',
        "tests/test_optim.py::test_beta_does_not_accumulate_in_the_velocity",
    ),
    Fault(
        "weight decay is for biases, too",
        "ser_lib/optim.py",
        '**settings, "weight_decay": 0.0},',
        "**settings},",
        "tests/test_optim.py::test_weight_decay_is_on_matrices_alone",
    ),
    Fault(
        "the norm of an update is that of the velocity",
        "ser_lib/optim.py",
        'torch._foreach_mul(norms, [state["beta"] for state in states])',
        "norms",
        "tests/test_optim.py::"
        "test_update_norm_is_how_far_the_parameters_moved_also_when_a_schedule_changes_beta_between_steps",
    ),
    Fault(
        "a schedule's factors pile up",
        "ser_lib/optim.py",
        "[self.setting] = value * self.factor(progress)",
        "[self.setting] *= self.factor(progress)",
        "tests/test_optim.py::test_a_schedule_multiplies_the_first_values_of_every_group[cosine-lr]",
    ),
    Fault(
        "schedules are made, and never set",
        "ser_lib/training.py",
        "schedule.set(self.steps / (self.experiment.epochs * steps_per_epoch))",
        "pass",
        "tests/test_training.py::test_schedules_follow_the_planned_steps_and_multiply_a_modules_own_setting_too",
    ),
    Fault(
        "update parameters of the convolutions and of the Bi-LSTM are swapped",
        "ser_lib/training.py",
        '(("convolutions", "convolution"), ("lstm", "recurrent"))',
        '(("convolutions", "recurrent"), ("lstm", "convolution"))',
        "tests/test_training.py::test_a_modules_own_setting_reaches_its_parameters_and_no_others",
    ),
    # Settings and records
    Fault(
        "a setting is read by nobody",
        "ser_lib/training.py",
        "aggregation=experiment.aggregation",
        'aggregation="mean"',
        "tests/test_experiments.py::test_changing_this_setting_alone_changes_what_a_run_leaves_behind[aggregation]",
    ),
    Fault(
        "a technique that nobody uses renames every run",
        "ser_lib/experiments.py",
        'if not (Experiment.model_fields[name].json_schema_extra["technique"] and value == type(self).without(name))',
        "if True",
        "tests/test_experiments.py::test_the_digest_is_the_same_as_if_a_technique_that_is_off_were_not_there",
    ),
    Fault(
        "a record is written in place",
        "ser_lib/records.py",
        'write_folder(key.folder, "run.json", write, remedy)',
        "key.folder.mkdir(parents=True), write(key.folder)",
        "tests/test_records.py::test_a_run_killed_leaves_no_record_that_counts_and_started_again_it_finishes[run.json]",
    ),
    Fault(
        "runs with other settings are collected, too",
        "ser_lib/collection.py",
        'elif record.run["configuration"] != EXPERIMENTS[name].digest:',
        "elif False:",
        "tests/test_collection.py::test_runs_with_other_settings_are_named_and_left_out",
    ),
    Fault(
        "a failure is kept where finished runs lie",
        "ser_lib/records.py",
        'paths.runs_folder() / "failures" / self.corpus',
        "paths.runs_folder() / self.corpus",
        "tests/test_records.py::test_a_failure_is_kept_with_its_history_and_never_where_finished_runs_lie",
    ),
    Fault(
        "collecting forgets the runs that were collected before",
        "ser_lib/collection.py",
        "_joined([kept[kind], table], kind)",
        "table",
        "tests/test_collection.py::test_runs_collected_before_stay_although_they_are_not_on_this_machine",
    ),
    Fault(
        "what is measured deletes what was measured of other runs",
        "ser_lib/variety.py",
        "pd.concat([before, measured], ignore_index=True) if len(before) else measured",
        "measured",
        "tests/test_variety.py::test_what_is_measured_again_replaces_its_own_rows_and_leaves_those_of_other_runs",
    ),
    Fault(
        "measurements of settings that have changed since still count",
        "ser_lib/measurements.py",
        'table["configuration"] == table["experiment"].map(present)',
        'table["experiment"].isin(present)',
        "tests/test_variety.py::test_rows_of_settings_that_have_changed_since_do_not_count",
    ),
    Fault(
        "networks are tested on another corpus in TF32",
        "ser_lib/transfer.py",
        'with multiplying("float32", place):',
        "if True:",
        "tests/test_transfer.py::test_no_score_is_rounded_to_tf32_whatever_was_set",
    ),
    # Comparisons and verdicts
    Fault(
        "baselines of other utterances are compared with the network",
        "ser_lib/tables/cells.py",
        "        if found != run:",
        "        if False:",
        "tests/test_baselines.py::test_baselines_of_another_version_of_the_corpus_are_not_compared_with_the_network",
    ),
    Fault(
        "experiments are compared on runs that only one of them has",
        "ser_lib/scoring.py",
        "shared = set.intersection(*(",
        "shared = set.union(*(",
        "tests/test_tables.py::test_a_comparison_is_of_the_runs_that_both_have_paired_by_fold_and_seed",
    ),
    Fault(
        "two folds have an interval",
        "ser_lib/scoring.py",
        "if len(values) >= MINIMUM_FOLDS else",
        "if len(values) >= 2 else",
        "tests/test_tables.py::test_fewer_than_six_folds_have_no_interval_in_any_table[5]",
    ),
    Fault(
        "the best of k is drawn with replacement",
        "ser_lib/tables/scores.py",
        "math.comb(place, k - 1) / math.comb(count, k)",
        "((place + 1) ** k - place**k) / count**k",
        "tests/test_tables.py::test_the_best_of_k_seeds_is_the_mean_over_every_choice_of_them",
    ),
    Fault(
        "seeds of some folds alone change the mean",
        "ser_lib/scoring.py",
        'return part[part["seed"].isin(complete)] if len(complete) else part',
        "return part",
        "tests/test_scoring.py::test_seeds_that_only_some_folds_have_run_change_no_mean",
    ),
    Fault(
        "gradients are compared by norm where it says per weight",
        "ser_lib/statements.py",
        "norm / np.sqrt(layers[members].sum()) if per_weight else norm",
        "norm",
        "tests/test_claims.py::test_per_weight_a_gradient_is_divided_by_the_root_of_the_number_of_weights",
    ),
    Fault(
        "experiments on two versions of a corpus are collected together",
        "ser_lib/collection.py",
        "if len(seen) > 1:",
        "if len(seen) > 2:",
        "tests/test_collection.py::test_experiments_on_two_versions_of_a_corpus_are_refused_too",
    ),
    Fault(
        "a table that was cut is scored as if it were whole",
        "ser_lib/collection.py",
        '["tested"].transform("max")',
        '["tested"].transform("min")',
        "tests/test_collection.py::test_a_table_that_was_cut_at_the_end_of_a_line_is_refused",
    ),
    Fault(
        "a run is said to be of the code that is there when it ends",
        "ser_lib/origins.py",
        '"code": code or code_version()',
        '"code": code_version()',
        "tests/test_records.py::test_a_run_has_the_code_that_began_it_whatever_is_committed_meanwhile",
    ),
    Fault(
        "two that collect at once undo each other",
        "ser_lib/collection.py",
        'with one_at_a_time(destination, paths.remedy("SER_RESULTS")):',
        "if destination:",
        "tests/test_collection.py::test_collect_waits_for_another_that_is_at_work",
    ),
    # Verdicts
    Fault(
        "several comparisons are not corrected for their number",
        "ser_lib/verdicts.py",
        "holm([_p_value(values) for values in differences.values()])",
        "[_p_value(values) for values in differences.values()]",
        "tests/test_claims.py::test_none_better_fails_only_by_an_experiment_that_is_better_after_correction",
    ),
    Fault(
        "to be as good as a network that guesses is a finding",
        "ser_lib/statements.py",
        "if verdict.outcome == NOT_RUN or not any(evidence.guesses(corpus, reference, other) for other in others):",
        "if verdict.outcome:",
        "tests/test_claims.py::test_nothing_is_as_good_as_a_network_that_guesses",
    ),
    Fault(
        "to lower what guesses is a finding",
        "ser_lib/statements.py",
        "lowered = self.direction < 0 and verdict.outcome == HOLDS",
        "lowered = False",
        "tests/test_claims.py::test_what_guesses_has_nothing_to_lose[batchnorm-layers-3-undecided]",
    ),
    Fault(
        "who stops before learning anything is quick",
        "ser_lib/statements.py",
        "if not unsure.any():",
        "if True:",
        "tests/test_claims.py::test_runs_that_end_before_they_learn_bound_a_difference_from_one_side_alone",
    ),
    Fault(
        "a refutation stands on runs that stop before they learn",
        "ser_lib/statements.py",
        "unsure = larger if verdict.outcome == FAILS else smaller",
        "unsure = smaller",
        "tests/test_claims.py::test_runs_that_end_before_they_learn_bound_a_difference_from_one_side_alone",
    ),
    Fault(
        "the side that is to be slower is asked whether its runs end too early",
        "ser_lib/statements.py",
        "larger, smaller = parts if self.direction > 0 else parts[::-1]",
        "larger, smaller = parts if self.direction < 0 else parts[::-1]",
        "tests/test_claims.py::test_runs_that_end_before_they_learn_bound_a_difference_from_one_side_alone",
    ),
    Fault(
        "a network overfits because another learns nothing",
        "ser_lib/statements.py",
        "return float(losses.iloc[-1] - losses.min())",
        "return float(losses.iloc[-1] - history['training_loss'].iloc[-1])",
        "tests/test_claims.py::test_a_network_that_learns_nothing_does_not_make_another_overfit",
    ),
    Fault(
        "any difference of pace is a very different one",
        "ser_lib/verdicts.py",
        "low > factor or high < 1 / factor",
        "low > 1 or high < 1",
        "tests/test_claims.py::test_a_very_different_pace_is_a_factor_of_two_either_way",
    ),
    Fault(
        "the score that chose is set against another speaker's",
        "ser_lib/tables/protocols.py",
        'if _validate_and_test_once(part) else ["fold", "fold"]',
        'if False else ["fold", "fold"]',
        "tests/test_tables.py::test_where_every_speaker_validates_once_and_tests_once_a_speakers_two_scores_are_paired",
    ),
    Fault(
        "corpora together are taken for one",
        "ser_lib/together.py",
        "part.var(ddof=1) for part in parts",
        "np.concatenate(parts).var(ddof=1) for part in parts",
        "tests/test_together.py::test_it_holds_the_mean_over_speakers_as_often_as_it_says_however_unlike_the_corpora",
    ),
    Fault(
        "corpora together count the same, however many speakers they have",
        "ser_lib/together.py",
        "shares = sizes / sizes.sum()",
        "shares = np.full(len(sizes), 1 / len(sizes))",
        "tests/test_together.py::test_a_row_is_the_mean_over_all_speakers_beside_the_papers_step",
    ),
    Fault(
        "whoever has IEMOCAP is told that it cannot be tested",
        "ser_lib/statements.py",
        "return corpus in self.utterances or",
        "return",
        "tests/test_claims.py::test_whoever_has_iemocap_is_told_what_was_not_run_yet_and_by_which_command",
    ),
    Fault(
        "with every seed means with the seeds that are shared",
        "ser_lib/findings.py",
        "averaged = replace(evidence, scored=scoring.over_seeds(evidence.scored))",
        "averaged = evidence",
        "tests/test_findings.py::test_a_verdict_that_leans_on_one_seed_of_a_reference_is_named_with_what_every_seed_says",
    ),
    Fault(
        "a seed of some folds alone is averaged with the others",
        "ser_lib/scoring.py",
        "by_fold = in_means(scored).groupby(",
        "by_fold = scored.groupby(",
        "tests/test_scoring.py::test_averaged_over_seeds_a_fold_has_one_score_of_the_seeds_that_every_fold_has",
    ),
    Fault(
        "what holds alone is called decided",
        "ser_lib/findings.py",
        'names = ledger.loc[ledger["verdict"].isin((HOLDS, FAILS)), "name"]',
        'names = ledger.loc[ledger["verdict"] == HOLDS, "name"]',
        "tests/test_findings.py::test_what_is_decided_is_every_line_with_such_a_verdict_and_no_other",
    ),
    Fault(
        "a figure of one module is not at hand with the others",
        "ser_lib/figures/__init__.py",
        '    "depth_map",\n',
        "",
        "tests/test_figures.py::test_every_function_is_at_hand_and_tested",
    ),
    Fault(
        "a source names runs that its differences do not use",
        "ser_lib/scoring.py",
        "for part in in_common(runs, corpus, pair)",
        "for part in (of_experiment(runs, corpus, name) for name in pair)",
        "tests/test_scoring.py::test_the_runs_behind_differences_are_those_that_both_sides_have",
    ),
    Fault(
        "one part of a claim is enough",
        "ser_lib/verdicts.py",
        "for o in (NOT_RUN, FAILS, UNDECIDED) if o in outcomes), HOLDS)",
        "for o in (NOT_RUN, HOLDS, UNDECIDED) if o in outcomes), FAILS)",
        "tests/test_claims.py::test_a_claim_of_two_parts_fails_with_one_of_them",
    ),
    Fault(
        "a margin works against the claim",
        "ser_lib/verdicts.py",
        "if towards[0] > -margin:",
        "if towards[0] > margin:",
        "tests/test_claims.py::test_almost_as_good_allows_a_margin_below_and_no_more",
    ),
    Fault(
        "the best is best when only some others were run",
        "ser_lib/verdicts.py",
        "HOLDS if len(decided) == len(differences) else UNDECIDED",
        "HOLDS if len(decided) == len(compared) else UNDECIDED",
        "tests/test_claims.py::test_best_must_beat_every_other_and_fails_by_one_that_beats_it",
    ),
    Fault(
        "a run that never learns counts as one that learns at once",
        "ser_lib/statements.py",
        'float(learnt.min() if len(learnt) else history["epoch"].max() + 1)',
        "float(learnt.min() if len(learnt) else 0.0)",
        "tests/test_claims.py::test_what_the_course_of_training_is_judged_by",
    ),
    Fault(
        "two batches of a pair share utterances",
        "ser_lib/variety.py",
        "other = rest[~np.isin(rest, one)][:batch_size]",
        "other = rest[:batch_size]",
        "tests/test_variety.py::test_no_utterance_is_in_both_batches_of_a_pair_however_often_it_is_shown_and_the_weights_"
        "stay",
    ),
    Fault(
        "a test of one side is taken for one of both",
        "ser_lib/verdicts.py",
        "return float(stats.ttest_1samp(differences, 0).pvalue)",
        "return float(stats.ttest_1samp(differences, 0).pvalue) / 2",
        "tests/test_claims.py::test_p_values_are_two_sided",
    ),
    Fault(
        "another corpus is normalised by frequencies that the network does not read",
        "ser_lib/transfer.py",
        "features.statistics(store, bins)",
        "features.statistics(store, BINS[8])",
        "tests/test_transfer.py",
    ),
    Fault(
        "a verdict on the runs that did not diverge looks like one on all",
        "ser_lib/findings.py",
        "verdict = _saying_what_diverged(verdict, evidence, corpus, claim.experiments)",
        "",
        "tests/test_findings.py::test_runs_that_diverged_are_counted_beside_the_verdict_on_those_that_did_not",
    ),
    Fault(
        "a difference of differences rests on seeds that only two of its four experiments share",
        "ser_lib/statements.py",
        "return [self.experiments] if self.experiments else []",
        "return [self.experiments[:2]] if self.experiments else []",
        "tests/test_claims.py::test_seeds_are_those_that_all_experiments_of_a_comparison_share",
    ),
    Fault(
        "one seed of one speaker moves the headline",
        "ser_lib/statements.py",
        "part = scoring.balanced(scoring.of_experiment(evidence.scored, corpus, self.experiment))",
        "part = scoring.of_experiment(evidence.scored, corpus, self.experiment)",
        "tests/test_claims.py::test_a_seed_of_one_speaker_alone_does_not_move_the_headline",
    ),
    Fault(
        "runs of settings that have changed since count as those of the present ones",
        "ser_lib/collection.py",
        "return _checked(_of_present_settings(results), folder,",
        "return _checked(results, folder,",
        "tests/test_collection.py::test_runs_of_settings_that_have_changed_since_they_were_collected_do_not_count",
    ),
    Fault(
        "counts on one version of a corpus stand beside runs on another",
        "ser_lib/tables/protocols.py",
        'for end in ("source", "target"):\n        versions',
        'for end in ("source",):\n        versions',
        "tests/test_tables.py::test_counts_on_another_version_of_a_corpus_do_not_stand_beside_its_runs[target-nemo]",
    ),
    Fault(
        "a finished record is removed before the job that would show it",
        "Snakefile",
        "        update(RECORD),",
        "        RECORD,",
        "tests/test_snakefile.py::test_a_finished_record_stays_whatever_snakemake_is_told_to_make_again",
    ),
    # Products through oneDNN
    Fault(
        "the gradient of the bias is forgotten",
        "ser_lib/linear.py",
        "grad.sum(dim=0) if ctx.has_bias else None",
        "torch.zeros_like(grad[0]) if ctx.has_bias else None",
        "tests/test_linear.py::test_value_and_gradients_are_those_of_pytorch",
    ),
    # Fetching
    Fault(
        "bytes of an older version of an archive are taken for the beginning of the newer",
        "ser_lib/fetch.py",
        "self.part.unlink(missing_ok=True)  # before its version changes: no room may be left for the new one",
        "pass",
        "tests/test_fetch.py::test_bytes_of_an_older_version_do_not_stay_when_there_is_no_room_for_the_newer",
    ),
    Fault(
        "a transfer goes on in a file that may have changed",
        "ser_lib/fetch.py",
        'headers["If-Range"] = self.validator.read_text()',
        "pass",
        "tests/test_fetch.py::test_an_interrupted_transfer_goes_on_where_it_stopped",
    ),
    Fault(
        "an entry with .. is unpacked",
        "ser_lib/fetch.py",
        'if path.drive or path.root or ".." in path.parts:',
        "if path.drive or path.root:",
        "tests/test_fetch.py::test_an_entry_that_leaves_its_folder_is_an_error_before_anything_is_written",
    ),
    Fault(
        "recordings are compared by their number of samples alone",
        "ser_lib/fetch.py",
        'None if sha256(samples) == digest["sha256"] else "other samples"',
        "None",
        "tests/test_fetch.py::test_missing_extra_and_different_recordings_are_named",
    ),
    Fault(
        "a corpus is unpacked where it will lie",
        "ser_lib/fetch.py",
        "write_folder(folder, source.marker, fill,",
        "(lambda folder, _, fill, __: (folder.mkdir(), fill(folder)))(folder, source.marker, fill,",
        "tests/test_fetch.py::test_killed_in_the_middle_nothing_counts_and_the_next_command_finishes",
    ),
    # Uncertainty
    Fault(
        "the bootstrap draws speakers and keeps their seeds",
        "ser_lib/inference.py",
        "return scores[..., speaker, run].mean(axis=-1)",
        "return scores[..., speaker, np.arange(seeds)].mean(axis=-1)",
        "tests/test_inference.py::test_the_bootstrap_draws_speakers_and_seeds_within_them",
    ),
    Fault(
        "the ends of the studentised interval are mistaken for each other",
        "ser_lib/inference.py",
        "return mean - high * error, mean - low * error",
        "return mean + low * error, mean + high * error",
        "tests/test_inference.py::test_the_studentised_interval_reaches_further_to_the_side_of_the_tail",
    ),
    Fault(
        "a p value of one side is given for both",
        "ser_lib/inference.py",
        'alternative="two-sided"',
        'alternative="greater"',
        "tests/test_inference.py::test_fishers_p_of_darwins_maize",
    ),
    Fault(
        "a corrected p value is below that of a clearer finding",
        "ser_lib/inference.py",
        "steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))",
        "steps = p_values[order] * np.arange(len(p_values), 0, -1)",
        "tests/test_inference.py::test_holms_adjusted_p_values_of_an_example",
    ),
    Fault(
        "more seeds take away the spread between speakers, too",
        "ser_lib/inference.py",
        "np.sqrt((between**2 + within**2 / seeds) / speakers)",
        "np.sqrt((between**2 + within**2) / seeds / speakers)",
        "tests/test_inference.py::test_seeds_take_away_their_own_spread_and_no_more",
    ),
    # The study
    Fault(
        "a first look takes one fold too few",
        "ser_lib/study.py",
        "numbers[settings.protocol][: stage.folds]",
        "numbers[settings.protocol][: stage.folds and stage.folds - 1]",
        "tests/test_study.py::"
        "test_all_else_is_looked_at_on_two_folds_then_the_tables_get_seeds_then_all_else_is_run_whole",
    ),
    Fault(
        "a run that two stages ask for counts for the later one",
        "ser_lib/study.py",
        "runs.setdefault(RunKey(corpus, fingerprint, name, settings, number, seed), stage)",
        "runs[RunKey(corpus, fingerprint, name, settings, number, seed)] = stage",
        "tests/test_study.py::test_no_stage_begins_before_the_one_before_it_is_planned_on_every_corpus",
    ),
    Fault(
        "memory is foreseen from a smaller corpus as if batches were as short",
        "ser_lib/study.py",
        "max(1.0, own.mean() / other.mean())",
        "max(1.0, other.mean() / own.mean())",
        "tests/test_study.py::test_runs_of_another_corpus_are_scaled_up_with_its_size_but_memory_is_never_scaled_down",
    ),
    Fault(
        "runs by code that trains differently are collected together",
        "ser_lib/collection.py",
        "if not mixed_code:",
        "if mixed_code:",
        "tests/test_collection.py::"
        "test_runs_of_one_experiment_by_code_that_trains_differently_are_refused_and_nothing_is_written",
    ),
    Fault(
        "code that was changed after its commit passes for the commit",
        "ser_lib/origins.py",
        'files = [f"ser_lib/{module}.py" for module in RUN_MODULES]',
        'files, version = [f"ser_lib/{module}.py" for module in RUN_MODULES], version.rstrip("+")',
        "tests/test_origins.py::test_commits_that_differ_in_nothing_that_trains_are_one_version_of_the_code",
    ),
    # The printed numbers
    Fault(
        "a ratio may lie a whole unit of the last place from the print",
        "ser_lib/printed.py",
        "2 * np.abs(1000 * correct",
        "np.abs(1000 * correct",
        "tests/test_printed.py::test_correct_answers_are_those_whose_percentage_rounds_to_the_print",
    ),
    Fault(
        "more of an emotion are recognised than there are",
        "ser_lib/printed.py",
        "(last >= 0) & (last <= size[3])",
        "last >= 0",
        "tests/test_printed.py::test_answers_are_all_there_are",
    ),
    Fault(
        "as many fits or more are counted without as many",
        "ser_lib/printed.py",
        'part["chance"].sum(), distribution[fits:].sum()',
        'part["chance"].sum(), distribution[fits + 1 :].sum()',
        "tests/test_printed.py::test_only_the_right_rule_fits_everywhere",
    ),
    Fault(
        "a step is tested on one side only",
        "ser_lib/printed.py",
        "stats.t.ppf((1 + LEVEL) / 2, folds - 1)",
        "stats.t.ppf(LEVEL, folds - 1)",
        "tests/test_printed.py::test_the_smallest_paired_step_is_just_significant_in_a_paired_t_test",
    ),
    Fault(
        "the error of a mean of four recalls is that of their sum",
        "ser_lib/printed.py",
        '.sum(axis="columns")) / len(EMOTIONS)',
        '.sum(axis="columns"))',
        "tests/test_printed.py::test_the_delta_method_agrees_with_a_simulation",
    ),
    # What runs cost, and which runs are behind a table
    Fault(
        "a table's line on its runs counts all runs, not those of its experiments",
        "ser_lib/provenance.py",
        'runs["experiment"].isin(wanted) & runs["corpus"].isin(shown)',
        'runs["corpus"].isin(shown)',
        "tests/test_provenance.py::test_provenance_counts_runs_speakers_and_seeds_of_the_experiments_shown_and_no_others",
    ),
    Fault(
        "runs that were not made pass for a full grid",
        "ser_lib/provenance.py",
        "least, most = numbers.min(), numbers.max()",
        "least, most = numbers.max(), numbers.max()",
        "tests/test_provenance.py::test_provenance_multiplies_out_only_where_every_combination_was_run",
    ),
    Fault(
        "hours of a study that was measured in part pass for all of them",
        "ser_lib/costs.py",
        '"at least " if len(known) < len(estimates) else ""',
        '"" if len(known) < len(estimates) else ""',
        "tests/test_costs.py::"
        "test_the_study_takes_the_sum_of_its_runs_and_at_least_that_where_some_were_never_measured",
    ),
    Fault(
        "every utterance's first frame counts as a hop, not as a window",
        "ser_lib/study.py",
        "samples = WINDOW + (IEMOCAP_FRAMES / len(table) - 1) * HOP",
        "samples = IEMOCAP_FRAMES / len(table) * HOP",
        "tests/test_study.py::test_iemocap_stands_in_with_its_published_utterances_speakers_and_frames",
    ),
    # Baselines
    Fault(
        "a baseline is fitted on the test speaker, too",
        "ser_lib/baselines.py",
        ".fit(values[fold.train], emotions[fold.train])",
        ".fit(values[np.r_[fold.train, fold.test]], emotions[np.r_[fold.train, fold.test]])",
        "tests/test_baselines.py::test_only_training_rows_are_fitted_on",
    ),
    Fault(
        "the variant without the speaker's own normalisation has it, too",
        "ser_lib/baselines.py",
        'if normalisation == "speaker":',
        "if len(values):",
        "tests/test_baselines.py::test_only_the_variant_named_so_is_normalised_by_speaker",
    ),
    Fault(
        "the test speaker chooses the C of a baseline",
        "ser_lib/baselines.py",
        "rows = fold.validation",
        "rows = fold.test",
        "tests/test_baselines.py::test_the_validation_speaker_chooses_C_and_the_test_speaker_does_not",
    ),
    Fault(
        "normalisation by speaker is over all speakers",
        "ser_lib/baselines.py",
        "rows = np.flatnonzero(speakers == speaker)",
        "rows = np.arange(len(speakers))",
        "tests/test_baselines.py::test_each_speaker_is_normalised_by_their_own_rows",
    ),
    Fault(
        "a seed that only some folds have run counts in a difference",
        "ser_lib/scoring.py",
        """balanced(pd.DataFrame(list(shared), columns=["fold", "seed"]))""",
        """pd.DataFrame(list(shared), columns=["fold", "seed"])""",
        "tests/test_inference.py::test_differences_leave_out_the_seeds_that_some_folds_lack_wherever_they_are_taken",
    ),
    Fault(
        "runs of a GPU, which does not repeat a training, are taken for different trainings",
        "ser_lib/scoring.py",
        'device == ["cpu", "cpu"] and hardware[0]',
        "hardware[0]",
        "tests/test_claims.py::test_runs_that_differ_by_rounding_are_not_taken_for_different_trainings",
    ),
    Fault(
        "runs of unlike processors, which round otherwise, are taken for different trainings",
        "ser_lib/scoring.py",
        'device == ["cpu", "cpu"] and hardware[0] == hardware[1] and',
        'device == ["cpu", "cpu"] and',
        "tests/test_claims.py::test_runs_that_differ_by_rounding_are_not_taken_for_different_trainings",
    ),
    Fault(
        "of one training made twice, the pair that agrees best is shown",
        "ser_lib/tables/training.py",
        "part['other'].max()",
        "part['other'].min()",
        "tests/test_tables.py::test_one_training_made_twice_is_counted_by_where_both_were_made",
    ),
    Fault(
        "five speakers decide a claim",
        "ser_lib/verdicts.py",
        "if speakers < MINIMUM_FOLDS:",
        "if speakers < MINIMUM_FOLDS - 1:",
        "tests/test_claims.py::test_every_rule_needs_six_speakers_and_says_how_many_there_are",
    ),
    # Runs that diverged
    Fault(
        "a run that diverged is never made again, whatever the code",
        "ser_lib/records.py",
        'failure["device"] == device and before == now:',
        'failure["device"] == device:',
        "tests/test_records.py::test_a_run_that_diverged_is_made_again_by_code_that_may_train_differently[newer code]",
    ),
    # Energy
    Fault(
        "an energy counter that starts again from zero is taken off",
        "ser_lib/energy.py",
        "(now - last) % counter.range",
        "now - last",
        "tests/test_energy.py::test_a_counter_that_starts_again_from_zero_goes_on",
    ),
    Fault(
        "the parts of a processor package are counted besides the package",
        "ser_lib/energy.py",
        """if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):""",
        """if (zone / "energy_uj").exists():""",
        "tests/test_energy.py::test_the_packages_are_added_and_neither_their_parts_nor_the_whole_platform",
    ),
    Fault(
        "runs whose energy was not read count as runs without any",
        "ser_lib/costs.py",
        """part["energy_joules"].dropna()""",
        """part["energy_joules"].fillna(0)""",
        "tests/test_costs.py::test_energy_is_that_of_the_runs_that_were_read_and_of_no_others",
    ),
    # Protocols, and networks on other corpora
    Fault(
        "both folds of a mistaken pair test the same half",
        "ser_lib/protocols.py",
        "halves[pair].pop()",
        "halves[pair][0]",
        "tests/test_protocols.py::test_each_utterance_is_tested_exactly_once",
    ),
    Fault(
        "utterances that choose the epoch train, too",
        "ser_lib/protocols.py",
        "np.setdiff1d(of_speaker.train, validation)",
        "of_speaker.train",
        "tests/test_protocols.py::test_no_utterance_that_tests_or_validates_trains",
    ),
    Fault(
        "folds over utterances are dealt out speaker by speaker",
        "ser_lib/protocols.py",
        "shuffle=True, random_state=SEED",
        "shuffle=False",
        "tests/test_protocols.py::test_folds_over_utterances_are_shuffled",
    ),
    Fault(
        "the partner still chooses the epoch where the test speaker should",
        "ser_lib/protocols.py",
        "validation=fold.test)",
        "validation=fold.validation)",
        "tests/test_protocols.py::test_the_speaker_who_tests_also_validates_and_the_partner_has_no_part",
    ),
    Fault(
        "every experiment is run on the paper's folds",
        "ser_lib/records.py",
        "find_fold(table, key.settings.protocol, key.fold)",
        'find_fold(table, "speakers", key.fold)',
        "tests/test_protocols.py::test_a_run_is_made_on_its_experiments_own_fold_and_its_record_names_who_tested",
    ),
    Fault(
        "a speaker of whom half is tested counts as a whole one",
        "ser_lib/scoring.py",
        """["utterance"].transform("size") == pooled["utterances"]""",
        """["utterance"].transform("size") > 0""",
        "tests/test_scoring.py::test_a_speaker_of_whom_a_part_is_not_tested_yet_or_whom_the_paper_s_protocol_does_not_test_has_no_score",
    ),
    Fault(
        "folds of one number are paired whoever they test",
        "ser_lib/scoring.py",
        "same = ours.equals(theirs)",
        "same = True",
        "tests/test_scoring.py::test_folds_of_one_number_but_other_people_are_not_paired",
    ),
    Fault(
        "the statistics of the two corpora change places",
        "ser_lib/transfer.py",
        """statistics = {"source": (run["mean_db"], run["variance_db2"]), "target": own}""",
        """statistics = {"target": (run["mean_db"], run["variance_db2"]), "source": own}""",
        "tests/test_transfer.py::test_each_statistic_is_the_one_that_it_is_said_to_be_and_votes_are_taken_as_the_experiment_does",
    ),
    Fault(
        "a cell of a confusion counts once, however many utterances it holds",
        "ser_lib/tables/protocols.py",
        """counts.loc[counts.index.repeat(counts["count"].astype(int))]""",
        "counts",
        "tests/test_tables.py::test_transfer_is_scored_for_each_network_and_speaker_and_averaged_over_the_networks",
    ),
    Fault(
        "one target's table holds counts on two versions of it",
        "ser_lib/transfer.py",
        """before[before["target_fingerprint"] != version].itertuples()""",
        """before[before["target_fingerprint"] == "another"].itertuples()""",
        "tests/test_transfer.py::test_counts_on_two_versions_of_the_target_are_not_kept_in_one_table",
    ),
    Fault(
        "networks of two versions of a corpus are averaged in one cell of the transfer",
        "ser_lib/transfer.py",
        "before = before[~outdated & ~_among(",
        "before = before[~_among(",
        "tests/test_transfer.py::test_networks_of_other_seeds_are_counted_where_they_are_and_join_those_that_were",
    ),
    Fault(
        "every seed trains from the same start",
        "ser_lib/records.py",
        "training.train(table, store, key.settings, fold, key.seed, device, progress)",
        "training.train(table, store, key.settings, fold, 0, device, progress)",
        "tests/test_records.py::test_a_run_is_trained_from_its_own_seed",
    ),
    Fault(
        "a seed of one fold is another seed of the next",
        "ser_lib/training.py",
        "np.random.SeedSequence([seed, fold.number])",
        "np.random.SeedSequence([seed + fold.number])",
        "tests/test_training.py::test_no_seed_of_a_fold_is_another_seed_of_another_fold",
    ),
    Fault(
        "predicting reads spectrograms with another floor than training did",
        "ser_lib/records.py",
        "features.spectrogram(audio.load(path), settings.floor_db)",
        "features.spectrogram(audio.load(path))",
        "tests/test_records.py::test_a_run_reads_spectrograms_with_the_floor_of_its_experiment_and_so_does_predicting",
    ),
    Fault(
        "a digest of digits is read as a number, and its runs are dropped",
        "ser_lib/collection.py",
        '"fingerprint", "configuration", "code")',
        '"fingerprint", "code")',
        "tests/test_collection.py::test_digests_that_look_like_numbers_stay_what_they_are",
    ),
    Fault(
        "who speaks is not in the fingerprint of a corpus",
        "ser_lib/corpora/table.py",
        'table.drop(columns="path").itertuples',
        'table.drop(columns=["path", "speaker"]).itertuples',
        "tests/corpora/test_corpora_load.py::test_fingerprint_changes_with_who_speaks_and_with_whom_they_are_paired[speaker-2F]",
    ),
    Fault(
        "speakers of one name on two corpora are taken for one",
        "ser_lib/scoring.py",
        'scored.drop_duplicates(["corpus", "test_speaker"])',
        'scored.drop_duplicates("test_speaker")',
        "tests/test_scoring.py::test_speakers_of_one_name_on_two_corpora_are_two_speakers",
    ),
    Fault(
        "a speaker with more seeds weighs more",
        "ser_lib/scoring.py",
        "{metric: by_fold[metric].mean(), ",
        "{metric: part[metric].mean(), ",
        "tests/test_scoring.py::test_a_speaker_with_more_seeds_weighs_no_more_than_one_with_fewer",
    ),
    Fault(
        "Table 2 shows UA as WA",
        "ser_lib/tables/scores.py",
        'table["WA (%)"] = (100 * by_fold["wa"])',
        'table["WA (%)"] = (100 * by_fold["ua"])',
        "tests/test_tables.py::test_table_2_has_each_fold_s_speaker_utterances_and_scores_means_over_seeds",
    ),
    Fault(
        "a claim is tested against its own words",
        "ser_lib/claims.py",
        '"table1-best", "table1-vtlp", "wa", _BEST.wa - _VTLP.wa,',
        '"table1-best", "table1-vtlp", "wa", _VTLP.wa - _BEST.wa,',
        "tests/test_claims.py::test_what_a_statement_says_is_what_is_tested[8khz-wa]",
    ),
    Fault(
        "a verdict on one corpus is of the runs on all of them",
        "ser_lib/statements.py",
        "scoring.of_experiment(evidence.results.updates, corpus, self.experiment)",
        'evidence.results.updates[evidence.results.updates["experiment"] == self.experiment]',
        "tests/test_claims.py::test_what_was_run_on_another_corpus_changes_no_verdict[pace]",
    ),
    Fault(
        "the variety of batches is that of a training without oversampling",
        "ser_lib/variety.py",
        "training_rows = oversample(fold.train, emotions, settings.oversampling)",
        "training_rows = fold.train",
        "tests/test_variety.py::test_batches_are_drawn_and_normalised_as_in_the_training_that_is_measured",
    ),
    Fault(
        "the target stands where an option takes it for one of its words",
        "Makefile",
        "snakemake study $(RUN_ON) --config",
        "snakemake $(RUN_ON) study --config",
        "tests/test_makefile.py::test_snakemake_itself_understands_how_it_is_asked_for_the_study",
    ),
    Fault(
        "a run counts as made where another seed or fold was",
        "ser_lib/costs.py",
        "append(tuple(run.identity.values()) in made)",
        "append(run.corpus in {corpus for corpus, *_ in made})",
        "tests/test_costs.py::test_a_run_of_the_study_was_made_if_its_own_fold_and_seed_were_whether_or_not_it_diverged",
    ),
    # Another model
    Fault(
        "another model may leave out what it cannot do",
        "ser_lib/other_model.py",
        'if missing := sorted(known - set(part["utterance"])):',
        'if missing := sorted(known - set(given["utterance"]))[1:0]:',
        "tests/test_other_model.py::test_what_does_not_cover_the_corpus_once_is_refused_by_line",
    ),
    Fault(
        "another model is compared with all experiments at once",
        "ser_lib/other_model.py",
        "ours = scoring.of_experiment(scored, corpus, experiment)",
        'ours = scored[scored["corpus"] == corpus].assign(experiment=experiment)',
        "tests/test_other_model.py::test_the_difference_is_by_speaker_with_the_seeds_of_either_side_averaged",
    ),
    # What is said of verdicts
    Fault(
        "what a claim of the performance says is judged by WA under the name of UA",
        "ser_lib/statements.py",
        "return {name: evidence.difference(corpus, name, self.reference, self.metric) for name in self.others}",
        'return {name: evidence.difference(corpus, name, self.reference, "wa") for name in self.others}',
        "tests/test_claims.py::test_several_experiments_are_compared_by_the_metric_that_the_claim_names",
    ),
    Fault(
        "a verdict across hardware is silent about it",
        "ser_lib/findings.py",
        "    if not unlike:\n        return verdict",
        "    if unlike:\n        return verdict",
        "tests/test_findings.py::test_a_verdict_that_decides_says_how_many_runs_were_compared_across_hardware",
    ),
    Fault(
        "tests that were changed after runs were read count as fixed before",
        "ser_lib/findings.py",
        'fixed, why = REVISED.get(claim.name, (BEFORE, ""))',
        'fixed, why = BEFORE, ""',
        "tests/test_findings.py::test_it_is_said_when_the_tests_that_decide_were_fixed_and_how_much_chance_decides",
    ),
    Fault(
        "scores of another corpus stand beside the paper's speakers",
        "ser_lib/tables/scores.py",
        'part = balanced(of_experiment(scored, "iemocap", experiment))',
        'part = balanced(of_experiment(scored.assign(corpus="iemocap"), "iemocap", experiment))',
        "tests/test_tables.py::test_table_2_as_printed_has_ours_beside_the_same_speaker_of_iemocap_and_no_other",
    ),
    Fault(
        "the better speaker of a session is any of its speakers",
        "ser_lib/printed.py",
        "[metric].idxmax())",
        "[metric].idxmin())",
        "tests/test_printed.py::test_the_better_speaker_of_each_session_by_ua_is_what_the_five_best_are",
    ),
    Fault(
        "sessions of two women pass for pairs",
        "ser_lib/claims.py",
        "len(women & men)]",
        "len(women | men)]",
        "tests/test_claims.py::test_a_session_of_two_women_is_not_one_of_a_woman_and_a_man",
    ),
    Fault(
        "a difference that is rounded to zero hides on which side it lies",
        "ser_lib/wording.py",
        "for shown in (digits, digits + 1):",
        "for shown in (digits, digits):",
        "tests/test_wording.py::test_a_difference_that_is_not_zero_shows_its_sign_and_one_that_is_nothing_shows_none_of_its_own",
    ),
]


@pytest.fixture(scope="module")
def processes():
    """Where forked processes come from: one that has loaded the libraries, but nothing of ours."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def plant(fault: Fault, project: Path) -> None:
    """Copy what the tests need, and make the edit."""
    for part in ("ser_lib", "tests", "profiles"):
        shutil.copytree(PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "Makefile", "Snakefile"):
        shutil.copy(PROJECT / part, project)
    text = (project / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.right) == 1, f"{fault.file} holds {text.count(fault.right)} times: {fault.right}"
    (project / fault.file).write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")


def run_test(processes, project: Path, test: str) -> tuple[int, str]:
    """pytest's exit status and output for one test of a copy of the project."""
    output = project / "output.txt"
    given = {"project": str(project), "test": test, "output": str(output)}
    script = str(Path(__file__).with_name("planted.py"))
    child = processes.Process(target=runpy.run_path, args=(script, given, "planted"))
    child.start()
    child.join(120)
    return child.exitcode, output.read_text()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_this_fault_is_caught(fault, processes, tmp_path):
    plant(fault, tmp_path)
    status, output = run_test(processes, tmp_path, fault.test)
    # 1 is "a test failed"; a test that is not found, or a fault that breaks the import, would be another status.
    assert status == 1, output
    # It failed in what it asserts, not because the fault does not run.
    assert re.search(r"^(E +(AssertionError|assert|Failed: )|.*: AssertionError$)", output, re.MULTILINE), output


def test_without_a_fault_the_guarding_tests_pass(processes, tmp_path):
    plant(Fault("none", "pyproject.toml", "[project]", "[project]", ""), tmp_path)
    status, output = run_test(processes, tmp_path, FAULTS[0].test)
    assert status == 0, output
