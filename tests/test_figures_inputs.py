"""Figures of corpora, folds, eq. 1 and the network: they draw the numbers they are given."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgba

from drawn import CORPUS, FOLD, NETWORK, SIX, bars, lines, overlaps, picture, texts
from ser_lib import features, figures, model, paper, style, vtlp
from ser_lib.corpora import EMOTIONS, iemocap
from ser_lib.errors import SerError

pytestmark = pytest.mark.usefixtures("in_style")


def test_class_distribution_draws_the_published_counts():
    counts = pd.Series(iemocap.PUBLISHED_IMPROVISED_LABELS)
    (axes,) = figures.class_distribution(counts, "IEMOCAP, improvised part").axes
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert dict(zip(labels, bars(axes), strict=True)) == counts.rename(index=iemocap.CODES).to_dict()
    assert axes.get_title(loc="left") == "IEMOCAP, improvised part"
    faces = {label: bar.get_facecolor() for label, bar in zip(labels, axes.patches, strict=True)}
    for label, face in faces.items():
        assert face == to_rgba(style.EMOTION.get(label, "white"))
    assert bars(axes) == sorted(bars(axes))  # the longest is drawn last, on top
    assert {str(count) for count in counts} <= set(texts(axes))


def test_class_distribution_of_the_four_emotions_needs_no_key():
    (axes,) = figures.class_distribution(pd.Series({emotion: 5 for emotion in EMOTIONS}), "Emo-DB").axes
    assert axes.get_legend() is None


def test_class_distributions_draws_a_panel_for_each_corpus():
    counts = {"Emo-DB": CORPUS["emotion"].value_counts(), "nEMO": pd.Series({"anger": 800, "neutral": 20})}
    emodb, nemo = figures.class_distributions(counts).axes
    assert bars(emodb)[:4] == [5, 3, 2, 4]
    assert bars(nemo)[:4] == [20, 0, 800, 0]
    assert {"Emo-DB (14)", "5"} <= set(texts(emodb))
    assert "nEMO (820)" in texts(nemo)


def test_figures_of_no_corpus_at_all_say_so():
    for figure in (figures.class_distributions({}), figures.frame_lengths({})):
        assert "not run yet" in texts(figure)
        assert overlaps(figure) == []


def test_warp_curves_go_through_the_knee():
    moved, shift = figures.warp_curves([0.9, 1.1]).axes
    for label, alpha in (("0.90", 0.9), ("1.10", 1.1)):
        np.testing.assert_allclose(lines(moved)[label], [[0, 0], [7.2, alpha * 7.2], [8, 8]], atol=1e-12)
    knees = [line.get_xdata()[0] for axes in (moved, shift) for line in axes.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(knees, 7.2)
    np.testing.assert_allclose(shift.lines[0].get_ydata(), [0, -0.72, 0], atol=1e-12)
    assert "knee f₀ = 7.2 kHz" in texts(moved)


@pytest.mark.parametrize("frequency_range", [4, 8])
def test_warps_draws_the_original_and_each_warp_on_one_scale(frequency_range):
    original = picture(features.BINS[frequency_range], 20)
    panels = [axes for axes in figures.warps(original.numpy(), [0.9, 1.1], frequency_range).axes if axes.images]
    assert [axes.get_title(loc="left") for axes in panels] == ["original", "α = 0.90", "α = 1.10"]
    for axes, alpha in zip(panels, [1.0, 0.9, 1.1], strict=True):
        (image,) = axes.images
        torch.testing.assert_close(torch.from_numpy(np.asarray(image.get_array())), vtlp.warp_rows(original, alpha))
        assert image.get_extent() == pytest.approx([0, 20 * 0.032, 0, frequency_range])
        assert image.get_clim() == (-80, 0)


def test_warps_keeps_the_order_when_the_original_is_asked_for():
    panels = [axes for axes in figures.warps(picture(), [0.9, 1.0, 1.1], 4).axes if axes.images]
    assert [axes.get_title(loc="left") for axes in panels] == ["α = 0.90", "original", "α = 1.10"]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), picture())


def test_warps_refuses_bins_of_another_range():
    with pytest.raises(SerError, match=r"up to 8 kHz has shape \(513, time\), not \(257, 50\)"):
        figures.warps(picture(), [0.9], 8)


def test_frame_lengths_climb_to_all_utterances_between_the_papers_marks():
    figure = figures.frame_lengths({"Emo-DB": np.array([30, 60, 90, 120]), "nEMO": np.array([25, 700])})
    axes = figure.axes[0]
    climbs = lines(axes)
    assert climbs["Emo-DB"][1:].tolist() == [[30, 25], [60, 50], [90, 75], [120, 100]]
    assert climbs["nEMO"][1:].tolist() == [[25, 50], [700, 100]]
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert tuple(marks) == paper.NUMBERS["frames"].value
    assert {"paper: 21", "paper: 909"} <= set(texts(axes))


def test_frames_and_seconds_agree_with_the_features():
    frames = np.array([1, 21, 909])
    seconds = figures.frames_to_seconds(frames)
    np.testing.assert_allclose(seconds, [0.064, 0.704, 29.12])
    np.testing.assert_allclose(figures.seconds_to_frames(seconds), frames)
    assert [features.frame_count(round(16000 * second)) for second in seconds] == frames.tolist()


def test_fold_counts_draws_each_part_and_what_oversampling_adds():
    training, validation, test = figures.fold_counts(CORPUS, FOLD, 2).axes
    assert bars(training) == [3, 1, 2, 1, 0, 0, 2, 1]  # once, then the repeats
    assert bars(validation)[:4] == [1, 1, 0, 1]
    assert bars(test)[:4] == [1, 1, 0, 2]
    assert not any(bars(validation)[4:] + bars(test)[4:])
    assert {"2 × 2 = 4", "1 × 2 = 2", "training (10)"} <= set(texts(training))
    assert "validation: 08 (3)" in texts(validation)
    assert {"test: 03 (4)", "0"} <= set(texts(test))


def test_fold_counts_without_oversampling_adds_nothing():
    training = figures.fold_counts(CORPUS, FOLD).axes[0]
    assert bars(training) == [3, 1, 2, 1, 0, 0, 0, 0]
    assert "training (7)" in texts(training)


def test_architecture_shows_every_layer_with_shape_and_parameters():
    description = model.describe(NETWORK)
    shown = texts(figures.architecture(description, (257, 108)))
    assert [text for text in shown if text in ("mask", "dense", "softmax")] == ["mask", "dense", "softmax"]
    assert {"conv\n1", "conv\n2", "Bi-LSTM\n1", "257 bins\n108 steps", "4 maps\n65 bins\n108 steps"} <= set(shown)
    for parameters in description.loc[description["layer"] != "total", "parameters"]:
        assert f"{parameters:,}" in shown
    assert shown.index("conv\n2") < shown.index("mask") < shown.index("Bi-LSTM\n1")


def test_architecture_of_the_largest_network_wraps_into_rows_that_overlap_nowhere():
    largest = model.ConvLSTM(513, [16] * 6, [(3, 3)] * 6, [(2, 1)] * 6, hidden_size=512, lstm_layers=4)
    figure = figures.architecture(model.describe(largest), (513, 108))
    assert {"conv\n6", "Bi-LSTM\n4"} <= set(texts(figure))
    assert overlaps(figure) == []
    assert figure.get_size_inches()[1] == pytest.approx(
        2 * figures.architecture(model.describe(NETWORK)).get_figheight()
    )


def test_a_part_of_a_fold_names_its_speakers_or_says_how_many_they_are():
    many = dataclasses.replace(FOLD, test_speaker="03+08", validation_speaker="+".join(SIX))
    said = texts(figures.fold_counts(CORPUS, many))
    for words in ("test: 03+08 (", "validation: 6 speakers ("):
        assert any(text.startswith(words) for text in said), said
