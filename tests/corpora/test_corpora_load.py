"""What holds for every corpus: names, where folders are looked for, the table and its fingerprint."""

import shutil
import sys

import pytest

from ser_lib import corpora
from ser_lib.corpora import table
from ser_lib.errors import SerError

COLUMNS = ["utterance", "path", "speaker", "gender", "session", "scenario", "emotion", "duration"]


def message(*arguments, **options) -> str:
    with pytest.raises(SerError) as caught:
        corpora.load(*arguments, **options)
    assert "\n" not in str(caught.value)  # the command line prints it as one line
    return str(caught.value)


def test_names():
    assert corpora.NAMES == ("iemocap", "emodb", "ravdess", "nemo", "synthetic")
    assert corpora.EMOTIONS == ("neutral", "sadness", "anger", "happiness")
    assert corpora.TITLES["emodb"] == "Emo-DB"


def test_unknown_corpus_lists_the_known_and_suggests():
    text = message("iemcap")
    assert all(name in text for name in corpora.NAMES) and "did you mean 'iemocap'" in text


def test_unknown_scenarios(release):
    assert "improvised or all" in message("iemocap", release.root, scenarios="scripted")


@pytest.mark.parametrize("options", [{"scenarios": "all"}, {"merge_excited": True}])
def test_options_of_iemocap_are_refused_elsewhere(tmp_path, options):
    assert "leave out" in message("emodb", tmp_path, **options)


@pytest.mark.parametrize("name", ["iemocap", "emodb", "ravdess", "nemo"])
def test_no_root_given(monkeypatch, name):
    monkeypatch.delenv("SER_CORPORA", raising=False)
    text = message(name)
    assert "--root" in text and "SER_CORPORA" in text


@pytest.mark.parametrize("name", ["iemocap", "emodb", "ravdess", "nemo"])
def test_root_missing(tmp_path, name):
    text = message(name, tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in text and "pass the folder" in text


@pytest.mark.parametrize("name", ["iemocap", "emodb", "ravdess", "nemo"])
def test_root_holds_something_else(tmp_path, name):
    (tmp_path / "holiday").mkdir()
    text = message(name, tmp_path / "holiday")
    assert "does not hold this corpus" in text and "pass the folder" in text


def test_environment_variable_that_leads_nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("SER_CORPORA", str(tmp_path))
    text = message("emodb")
    assert str(tmp_path / "emodb") in text and "--root" in text


@pytest.mark.parametrize("folder", ["iemocap", "IEMOCAP_full_release", "IEMOCAP"])
def test_environment_variable_finds_iemocap_by_any_of_its_names(monkeypatch, release, folder):
    release.root.rename(release.root.parent / "elsewhere").rename(release.root.parent / folder)
    monkeypatch.setenv("SER_CORPORA", str(release.root.parent))
    assert len(corpora.load("iemocap", allow_partial=True)) == 3


def load_partial(release, **options):
    return corpora.load("iemocap", release.root, allow_partial=True, **options)


def test_table(release):
    loaded = load_partial(release)
    assert list(loaded.columns) == COLUMNS and list(loaded.index) == [0, 1, 2]
    assert list(loaded["utterance"]) == ["Ses01F_impro01_F000", "Ses01F_impro01_F002", "Ses01F_impro01_M000"]
    assert loaded["duration"].tolist() == [1104 / 16_000] * 3
    assert loaded["path"].tolist() == [str(release.wav(name)) for name in loaded["utterance"]]
    assert loaded["session"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("progress", "terminal"), [(True, True), (True, False), (False, True)])
def test_the_progress_bar_is_for_a_person_who_asks_for_it(release, capsys, monkeypatch, progress, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    load_partial(release, progress=progress)
    assert ("checking iemocap" in capsys.readouterr().err) == (progress and terminal)


def test_fingerprint_does_not_depend_on_the_place_or_the_container(release, files, tmp_path):
    before = load_partial(release).attrs["fingerprint"]
    assert len(before) == 12 and int(before, 16) >= 0
    shutil.copytree(release.root, tmp_path / "copy")
    wav = release.wav("Ses01F_impro01_F000")
    files.audio(wav.with_suffix(".flac"), 1104)
    wav.unlink()
    assert corpora.load("iemocap", tmp_path / "copy", allow_partial=True).attrs["fingerprint"] == before
    assert load_partial(release).attrs["fingerprint"] == before


def test_fingerprint_changes_with_a_label(release):
    before = load_partial(release).attrs["fingerprint"]
    labels = release.labels("Ses01F_impro01")
    labels.write_text(labels.read_text().replace("\tsad\t", "\tang\t"))
    assert load_partial(release).attrs["fingerprint"] != before


def test_fingerprint_changes_with_the_samples(release, files):
    before = load_partial(release).attrs["fingerprint"]
    files.audio(release.wav("Ses01F_impro01_F000"), 1104, seed=99)
    assert load_partial(release).attrs["fingerprint"] != before


def test_fingerprint_changes_with_the_selection_and_its_options(release):
    prints = {
        load_partial(release, **options).attrs["fingerprint"]
        for options in ({}, {"scenarios": "all"}, {"merge_excited": True}, {"scenarios": "all", "merge_excited": True})
    }
    assert len(prints) == 4
    release.labels("Ses01M_script01_1").unlink()  # now "all" selects the very same rows, by another rule
    shutil.rmtree(release.wav("Ses01M_script01_1_F000").parent)
    same_rows = load_partial(release), load_partial(release, scenarios="all")
    assert same_rows[0].equals(same_rows[1])
    assert same_rows[0].attrs["fingerprint"] != same_rows[1].attrs["fingerprint"]


def test_the_same_recording_twice_is_a_note(release):
    shutil.copy(release.wav("Ses01F_impro01_F000"), release.wav("Ses01F_impro01_F002"))
    [note] = [note for note in load_partial(release).attrs["notes"] if "same recording" in note]
    assert "Ses01F_impro01_F000, Ses01F_impro01_F002" in note


def test_many_bad_files_are_counted_and_some_named(make_release, tmp_path):
    release = make_release(tmp_path)
    release.dialog("Ses01F_impro01", {f"F{number:03d}": "neu" for number in range(9)})
    for number in range(7):
        release.wav(f"Ses01F_impro01_F{number:03d}").write_bytes(b"")
    text = message("iemocap", tmp_path, allow_partial=True)
    assert "7 problems" in text and "and 2 more" in text and "copy it again" in text
    assert str(release.wav("Ses01F_impro01_F004")) in text and "F005" not in text


def test_counts_order_speakers_by_session_then_women_then_men(make_release, tmp_path):
    release = make_release(tmp_path)
    for session in (2, 1):
        release.dialog(f"Ses0{session}M_impro01", {"M000": "neu", "F000": "hap", "F001": "hap"})
    cells = corpora.counts(corpora.load("iemocap", tmp_path, allow_partial=True))
    assert list(cells.index) == ["1F", "1M", "2F", "2M"]
    assert list(cells.columns) == [*corpora.EMOTIONS, "total"]
    assert cells.loc["2F"].tolist() == [0, 0, 0, 2, 2] and cells.loc["1M"].tolist() == [1, 0, 0, 0, 1]


def test_nothing_of_the_four_emotions(make_release, tmp_path):
    make_release(tmp_path).dialog("Ses01F_impro01", {"F000": "fru"})
    assert "no utterance of the four emotions" in message("iemocap", tmp_path, allow_partial=True)


def test_two_recordings_of_one_name(files, tmp_path):
    path = files.audio(tmp_path / "a.wav")
    row = table.Recording("a", path, "1F", "F", 1, "acted", "neutral")
    with pytest.raises(SerError, match="occurs twice"):
        table.build("emodb", tmp_path, [row, row])


@pytest.mark.parametrize("name", corpora.NAMES)
def test_every_corpus_at_hand_keeps_the_contract(name, request, open_corpus):
    root = request.getfixturevalue("synthetic_root") if name == "synthetic" else open_corpus(name)
    loaded = corpora.load(name, root)
    assert list(loaded.columns) == COLUMNS and list(loaded.index) == list(range(len(loaded)))
    assert loaded["utterance"].is_unique and loaded["utterance"].tolist() == sorted(loaded["utterance"])
    assert set(loaded["emotion"]) == set(corpora.EMOTIONS) and set(loaded["gender"]) == {"F", "M"}
    assert (loaded["duration"] >= 0.064).all() and not loaded.isna().any(axis=None)
    pairs = loaded.groupby("session").agg({"speaker": "nunique", "gender": "nunique"})
    assert (pairs == 2).all(axis=None) and pairs.index.tolist() == list(range(1, len(pairs) + 1))
    assert (loaded.groupby("speaker")[["session", "gender"]].nunique() == 1).all(axis=None)
    assert loaded.attrs["corpus"] == name and {"fingerprint", "options", "notes"} < set(loaded.attrs)


@pytest.mark.parametrize(
    "column, value", [("speaker", "2F"), ("gender", "M"), ("session", 2), ("scenario", "scripted")]
)
def test_fingerprint_changes_with_who_speaks_and_with_whom_they_are_paired(files, tmp_path, column, value):
    """The pairs decide the folds: runs on two pairings of one corpus must not be taken for runs on one version."""
    path = files.audio(tmp_path / "a.wav")
    given = dict(utterance="a", path=path, speaker="1F", gender="F", session=1, scenario="acted", emotion="neutral")
    prints = [
        table.build("emodb", tmp_path, [table.Recording(**given | changes)]).attrs["fingerprint"]
        for changes in ({}, {column: value})
    ]
    assert prints[0] != prints[1]
