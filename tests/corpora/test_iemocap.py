"""The IEMOCAP loader on small releases in its layout, and on a hollow one with all the published counts."""

import errno
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from ser_lib import corpora
from ser_lib.corpora import iemocap
from ser_lib.errors import SerError


def load(root, **options):
    return corpora.load("iemocap", root, **{"allow_partial": True, **options})


def message(root, **options) -> str:
    with pytest.raises(SerError) as caught:
        load(root, **options)
    return str(caught.value)


# The published counts themselves


def test_published_counts_agree_with_the_published_totals():
    cells = iemocap.PUBLISHED_COUNTS
    assert cells[list(corpora.EMOTIONS)].to_numpy().sum() == 2280
    for code, emotion in iemocap.CODES.items():
        if emotion in cells:
            assert cells[emotion].sum() == iemocap.PUBLISHED_IMPROVISED_LABELS[code]
    assert cells["labelled"].sum() == sum(iemocap.PUBLISHED_IMPROVISED_LABELS.values()) == 4784
    assert sum(iemocap.PUBLISHED_LABELS.values()) == 10_039


# Speakers


@pytest.mark.parametrize(
    "turn, speaker",
    [
        ("Ses01F_impro01_F000", "1F"),
        ("Ses01F_impro01_M003", "1M"),
        ("Ses01M_impro01_F003", "1F"),
        ("Ses03M_impro05a_F012", "3F"),
        ("Ses03M_impro05a_M012", "3M"),
        ("Ses03M_impro08b_F001", "3F"),
        ("Ses05F_impro02_M000", "5M"),
        ("Ses03F_impro05_M1004", "3M"),
    ],
)
def test_the_speaker_is_the_letter_before_the_last_digits(make_release, tmp_path, turn, speaker):
    dialog, _, part = turn.rpartition("_")
    make_release(tmp_path).dialog(dialog, {part: "neu"})
    [row] = load(tmp_path).to_dict("records")
    assert row["utterance"] == turn
    assert (row["speaker"], row["gender"], row["session"]) == (speaker, speaker[1], int(speaker[0]))


def test_scripted_letter_dialogs_too(make_release, tmp_path):
    make_release(tmp_path).dialog("Ses05M_script01_1b", {"F000": "ang", "M000": "sad"})
    loaded = load(tmp_path, scenarios="all")
    assert loaded["speaker"].tolist() == ["5F", "5M"] and set(loaded["scenario"]) == {"scripted"}


# Selection


def test_default_selection_is_improvised_without_excitement(release):
    loaded = load(release.root)
    assert loaded["emotion"].tolist() == ["neutral", "happiness", "sadness"]
    assert set(loaded["scenario"]) == {"improvised"}
    assert loaded.attrs["options"] == {"scenarios": "improvised", "merge_excited": False}


def test_all_scenarios(release):
    loaded = load(release.root, scenarios="all")
    assert Counter(loaded["scenario"]) == {"improvised": 3, "scripted": 2}


def test_excitement_merged_into_happiness(release):
    loaded = load(release.root, merge_excited=True)
    assert loaded.set_index("utterance")["emotion"]["Ses01F_impro01_F001"] == "happiness" and len(loaded) == 4


def test_apple_double_files_and_subfolders_are_no_part_of_the_release(release):
    labels, wav = release.labels("Ses01F_impro01"), release.wav("Ses01F_impro01_F000")
    for path in (labels, wav):
        path.with_name(f"._{path.name}").write_bytes(bytes.fromhex("00051607") + bytes(78))
    for folder in ("Attribute", "Categorical", "Self-evaluation"):
        (labels.parent / folder).mkdir()
        (labels.parent / folder / "Ses01F_impro01_e2_cat.txt").write_text("[1 - 2] :Neutral; ()\n")
    assert len(load(release.root)) == 3


def test_windows_line_ends_are_read(release):
    labels = release.labels("Ses01F_impro01")
    labels.write_bytes(labels.read_bytes().replace(b"\n", b"\r\n"))
    assert len(load(release.root)) == 3


# What is wrong in a label file, each with file and line


@pytest.mark.parametrize(
    "line",
    [
        "[1.0000 - 1.0688] Ses01F_impro01_F009 neu [2.5, 2.5, 2.5]",
        "[1.0000 - 1.0688]\tSes01F_impro01_F009\tneu",
        "[1.0000]\tSes01F_impro01_F009\tneu\t[2.5000, 2.5000, 2.5000]",
        "[one - two]\tSes01F_impro01_F009\tneu\t[2.5000, 2.5000, 2.5000]",
        "[",
    ],
)
def test_malformed_label_line(release, line):
    number = release.add_line("Ses01F_impro01", line)
    text = message(release.root)
    assert f"{release.labels('Ses01F_impro01')} line {number}" in text and "malformed" in text
    assert "put back the published file" in text


@pytest.mark.parametrize(
    "turn, code, words",
    [
        ("Ses01F_impro01_F000", "neu", "labelled twice, first in line 3"),
        ("Ses01F_impro01_F009", "joy", "unknown emotion code 'joy'"),
        ("Ses01F_impro02_F009", "neu", "another dialog"),
        ("Ses02F_impro01_F009", "neu", "another dialog"),
        ("Ses01F_impro01_X009", "neu", "not the name of a turn"),
        ("Ses01F_impro01_F", "neu", "not the name of a turn"),
    ],
)
def test_label_line_that_cannot_be(release, turn, code, words):
    number = release.add_line("Ses01F_impro01", release.line(turn, code, 50))
    text = message(release.root)
    assert f"{release.labels('Ses01F_impro01')} line {number}" in text and words in text
    assert "put back the published file" in text


def test_turn_that_ends_before_it_starts(release):
    release.add_line("Ses01F_impro01", "[2.0000 - 1.0000]\tSes01F_impro01_F009\tneu\t[2.5000, 2.5000, 2.5000]")
    assert "ends at 1.0000 s" in message(release.root)


def test_dialog_in_the_wrong_session(release):
    target = release.root / "Session2" / "dialog" / "EmoEvaluation"
    target.mkdir(parents=True)
    (release.root / "Session2" / "sentences" / "wav").mkdir(parents=True)
    shutil.move(release.labels("Ses01F_impro01"), target)
    assert "move it to Session1" in message(release.root)


def test_label_file_that_is_no_dialog(release):
    release.labels("Ses01F_impro01").with_name("Ses01F_impro01 (copy).txt").write_text("")
    text = message(release.root)
    assert "Ses01F_impro01 (copy).txt" in text and "move it out" in text


# Labels and audio that do not match


def test_label_without_audio(release):
    release.wav("Ses01F_impro01_M001").unlink()  # not of the four emotions, missed all the same
    text = message(release.root, allow_partial=False)
    assert "label without audio: Ses01F_impro01_M001" in text and "line 15" in text and "allow_partial" in text
    assert any("Ses01F_impro01_M001" in note for note in load(release.root).attrs["notes"])


def test_audio_without_label(release, files):
    extra = files.audio(release.wav("Ses01F_impro01_F077"))
    text = message(release.root, allow_partial=False)
    assert f"audio without label: {extra}" in text and str(release.labels("Ses01F_impro01")) in text
    notes = " ".join(load(release.root).attrs["notes"])
    assert f"audio without label: {extra.relative_to(release.root)}" in notes
    assert str(release.root) not in notes  # it is kept with every run, wherever the corpus lies


def test_dialog_without_audio_and_dialog_without_labels(release):
    shutil.rmtree(release.wav("Ses01F_impro01_F000").parent)
    release.labels("Ses01M_script01_1").unlink()
    text = message(release.root, allow_partial=False)
    assert f"labels without audio: {release.labels('Ses01F_impro01')}" in text
    assert f"audio without labels: {release.wav('Ses01M_script01_1_F000').parent}" in text


@pytest.mark.parametrize("part", ["dialog/EmoEvaluation", "sentences/wav"])
def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(release, monkeypatch, part):
    """Else the owner of the release is told to copy all of it again."""
    closed = release.root / "Session1" / part
    genuine = {name: getattr(os, name) for name in ("listdir", "scandir")}

    def refuse(name: str):
        def look(folder="."):
            if Path(folder) == closed:
                raise PermissionError(errno.EACCES, "Permission denied", str(closed))
            return genuine[name](folder)

        return look

    for name in genuine:
        monkeypatch.setattr(os, name, refuse(name))
    with pytest.raises(PermissionError, match=str(closed)):
        load(release.root)


def test_the_same_turn_as_wav_and_flac(release, files):
    files.audio(release.wav("Ses01F_impro01_F000").with_suffix(".flac"))
    assert "occurs twice" in message(release.root)


@pytest.mark.parametrize("off, fits", [(3, True), (-3, True), (4, False), (-4, False)])
def test_wav_length_against_labelled_times(release, files, off, fits):
    wav = files.audio(release.wav("Ses01F_impro01_F000"), 1104 + off)
    if fits:
        assert len(load(release.root)) == 3
    else:
        text = message(release.root)
        assert str(wav) in text and f"{1104 + off} samples" in text and "span 1104" in text and "copy it again" in text


def test_length_is_compared_at_16_khz(release, files):
    files.audio(release.wav("Ses01F_impro01_F000"), 3312, rate=48_000)
    assert len(load(release.root)) == 3


def test_bad_wav_is_named(release):
    wav = release.wav("Ses01F_impro01_F000")
    wav.write_bytes(wav.read_bytes()[:900])
    text = message(release.root)
    assert str(wav) in text and "truncated" in text


# The wrong folder level


@pytest.mark.parametrize("below", ["Session1", "Session1/dialog/EmoEvaluation", "Session1/sentences/wav"])
def test_root_too_deep(release, below):
    assert f"it looks like you meant {release.root}" in message(release.root / below)


def test_root_too_high(release):
    assert f"it looks like you meant {release.root}" in message(release.root.parent)
    assert f"it looks like you meant {release.root}" in message(release.root.parent.parent)


def test_root_is_a_file(release):
    assert f"it looks like you meant {release.root}" in message(release.labels("Ses01F_impro01"))


# A release that is not whole, and one that is


def test_missing_sessions_are_an_error_or_a_note(release):
    text = message(release.root, allow_partial=False)
    assert "session 2 is missing" in text and "--allow-partial" in text
    notes = " ".join(load(release.root).attrs["notes"])
    assert all(f"session {session} is missing" in notes for session in (2, 3, 4, 5))
    assert "session 1 is missing" not in notes and "1F neutral: expected 119, found 1" in notes


@pytest.fixture(scope="module")
def whole(make_release, tmp_path_factory):
    """A hollow release: every published utterance of the four emotions and excitement as 69 ms of noise."""
    release = make_release(tmp_path_factory.mktemp("whole") / "IEMOCAP_full_release")
    codes = {code: emotion for code, emotion in iemocap.CODES.items() if emotion in (*corpora.EMOTIONS, "excitement")}
    for session in iemocap.SESSIONS:
        turns, numbers = {}, Counter()
        for letter, code in ((letter, code) for letter in "FM" for code in codes):
            for _ in range(iemocap.PUBLISHED_COUNTS.loc[f"{session}{letter}", codes[code]]):
                turns[f"{letter}{numbers[letter]:03d}"] = code
                numbers[letter] += 1
        release.dialog("Ses03M_impro05a" if session == 3 else f"Ses0{session}F_impro01", turns)
    scripted = {code: iemocap.PUBLISHED_LABELS[code] - iemocap.PUBLISHED_IMPROVISED_LABELS[code] for code in codes}
    turns = [code for code, number in scripted.items() for _ in range(number)]
    release.dialog("Ses05M_script01_1b", {f"M{number:03d}": code for number, code in enumerate(turns)})
    return release


@pytest.mark.parametrize(
    "options, rows",
    [
        ({}, 2280),
        ({"merge_excited": True}, 2943),
        ({"scenarios": "all"}, 4490),
        ({"scenarios": "all", "merge_excited": True}, 5531),
    ],
)
def test_the_whole_release_has_its_published_counts(whole, options, rows):
    loaded = load(whole.root, allow_partial=False, **options)
    assert len(loaded) == rows and loaded.attrs["notes"] == []
    if not options:
        cells = corpora.counts(loaded)[list(corpora.EMOTIONS)]
        assert cells.to_dict() == iemocap.PUBLISHED_COUNTS[list(corpora.EMOTIONS)].to_dict()


def test_a_count_that_differs_shows_expected_and_found(whole):
    labels = whole.labels("Ses01F_impro01")
    before = labels.read_text()
    try:
        labels.write_text(before.replace("\tang\t", "\tsad\t", 1))
        text = message(whole.root, allow_partial=False)
        assert "1F anger: expected 37, found 36" in text and "1F sadness: expected 43, found 44" in text
        assert "2F" not in text
        assert "expected 37, found 36" in " ".join(load(whole.root).attrs["notes"])
        assert "sadness: expected 1084, found 1085" in message(whole.root, allow_partial=False, scenarios="all")
    finally:
        labels.write_text(before)


def test_a_missing_dialog_shows_in_the_counts(whole):
    labels, wavs = whole.labels("Ses02F_impro01"), whole.wav("Ses02F_impro01_F000").parent
    hidden = [path.rename(path.with_name(f".hidden-{path.name}")) for path in (labels, wavs)]
    try:
        text = message(whole.root, allow_partial=False)
        assert "2M neutral: expected 127, found 0" in text and "allow_partial" in text
    finally:
        for path, original in zip(hidden, (labels, wavs), strict=True):
            path.rename(original)
