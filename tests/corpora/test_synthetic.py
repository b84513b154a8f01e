"""The synthetic corpus: IEMOCAP's layout with its traps, the same bytes every time, whole or not at all."""

import hashlib
import multiprocessing
import re
import time

import numpy
import pytest
import soundfile

from ser_lib import corpora
from ser_lib.corpora import iemocap, synthetic
from ser_lib.errors import SerError


@pytest.fixture(scope="module")
def table(synthetic_root):
    return corpora.load("synthetic", synthetic_root)


def digest(root) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        whole.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return whole.hexdigest()


def test_the_same_bytes_every_time(synthetic_root, tmp_path):
    assert digest(synthetic.write(tmp_path / "again")) == digest(synthetic_root)


def test_counts(table):
    cells = corpora.counts(table)
    assert cells["total"].sum() == len(table) == 232
    assert list(cells.index) == list(iemocap.PUBLISHED_COUNTS.index)
    assert cells[list(corpora.EMOTIONS)].min(axis=None) >= 2
    assert cells["neutral"].sum() > cells["sadness"].sum() > cells["anger"].sum()
    assert table["duration"].between(0.7, 6.0).all()


def test_options_change_the_selection_as_the_plan_says(synthetic_root):
    rows = {
        (scenarios, merge): len(corpora.load("synthetic", synthetic_root, scenarios=scenarios, merge_excited=merge))
        for scenarios in ("improvised", "all")
        for merge in (False, True)
    }
    assert rows == {("improvised", False): 232, ("improvised", True): 262, ("all", False): 272, ("all", True): 312}


def test_it_is_read_by_the_iemocap_loader_and_is_not_iemocap(synthetic_root):
    with pytest.raises(SerError, match="load it by the name synthetic"):
        corpora.load("iemocap", synthetic_root, allow_partial=True)


def test_iemocap_is_not_taken_for_it(release):
    with pytest.raises(SerError, match="by the name iemocap"):
        corpora.load("synthetic", release.root, allow_partial=True)


def test_wrong_level(synthetic_root):
    with pytest.raises(SerError, match=f"it looks like you meant {synthetic_root}"):
        corpora.load("synthetic", synthetic_root / "Session1")


def test_it_has_the_traps_of_the_release(synthetic_root, table):
    assert any(re.match(r"Ses03M_impro05a_F", name) for name in table["utterance"])
    assert any(path.name.startswith("._Ses") for path in synthetic_root.rglob("*.txt"))
    assert any(path.name.startswith("._Ses") for path in synthetic_root.rglob("*.wav"))
    labels = "".join(path.read_text(encoding="latin-1") for path in synthetic_root.rglob("EmoEvaluation/Ses*.txt"))
    assert {*re.findall(r"\t([a-z]{3})\t\[", labels)} == {"neu", "sad", "ang", "hap", "exc", "fru", "sur", "xxx"}
    assert "dom  3" in labels and re.search(r"^A-E3:\tval 3; act 3;\t", labels, re.MULTILINE)


def test_wearer_and_speaker_differ_in_about_half(table):
    wearer = table["utterance"].str[5]
    assert 0.35 < (wearer != table["gender"]).mean() < 0.65


def test_speaker_of_every_turn_is_the_planned_one(table):
    planned = {turn.name: turn.speaker for turn in synthetic.plan()}
    assert table["speaker"].tolist() == [planned[name] for name in table["utterance"]]
    assert (table["gender"] == table["speaker"].str[1]).all()


def test_speakers_differ_by_vocal_tract_length():
    tracts = {name: voice.tract for name, voice in synthetic.VOICES.items()}
    assert len(set(tracts.values())) == 10
    women, men = ({tract for name, tract in tracts.items() if name[1] == gender} for gender in "FM")
    assert min(women) > max(men)


def test_published_format_of_the_audio(table):
    information = soundfile.info(table["path"][0])
    assert (information.samplerate, information.channels, information.subtype) == (16_000, 1, "PCM_16")


def test_emotions_are_learnable_but_not_trivial(table):
    """Pooled log spectrum and logistic regression, each speaker left out once: above chance, not perfect."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = numpy.stack([pooled_log_spectrum(path) for path in table["path"]])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=500))
    predicted = cross_val_predict(model, features, table["emotion"], groups=table["speaker"], cv=LeaveOneGroupOut())
    recall = (predicted == table["emotion"]).groupby(table["emotion"]).mean()
    assert 0.55 < recall.mean() < 0.85


def pooled_log_spectrum(path) -> numpy.ndarray:
    samples, _ = soundfile.read(path)
    windows = numpy.lib.stride_tricks.sliding_window_view(samples, 1024)[::512] * numpy.hanning(1024)
    spectrum = numpy.log(numpy.abs(numpy.fft.rfft(windows))[:, :257] + 1e-5)
    return numpy.concatenate([spectrum.mean(axis=0), spectrum.std(axis=0)])


# Writing: whole or not at all


@pytest.fixture
def quick(monkeypatch):
    """One dialog of each session instead of all, and noise instead of a voice."""
    turns = tuple(turn for turn in synthetic.plan() if turn.dialog.endswith("impro02"))
    monkeypatch.setattr(synthetic, "plan", lambda: turns)
    monkeypatch.setattr(synthetic, "speak", lambda turn: numpy.arange(turn.samples, dtype=numpy.int16))
    synthetic.expected.cache_clear()
    yield
    synthetic.expected.cache_clear()


def test_a_missing_root_is_written_and_left_alone_afterwards(quick, tmp_path, monkeypatch):
    root = tmp_path / "deep" / "er"
    before = corpora.load("synthetic", root, allow_partial=True)
    monkeypatch.setattr(synthetic, "write", lambda root: pytest.fail("written again"))
    assert corpora.load("synthetic", root, allow_partial=True).attrs["fingerprint"] == before.attrs["fingerprint"]
    assert [path.name for path in root.parent.iterdir()] == ["er"]


def test_without_a_root_it_is_in_the_data_folder(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(tmp_path / "data"))
    loaded = corpora.load("synthetic", allow_partial=True)
    assert loaded["path"][0].startswith(str(tmp_path / "data" / "synthetic"))


def test_an_interrupted_writing_leaves_nothing(quick, tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthetic, "label_lines", interrupt)
    with pytest.raises(KeyboardInterrupt):
        synthetic.write(tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_its_remedy(quick, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic, "wav_bytes", full)
    with pytest.raises(SerError, match="No space left on device.*free some space"):
        synthetic.write(tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SerError, match="could not be written"):
        synthetic.write(tmp_path / "file" / "synthetic")


def test_two_processes_at_once(quick, tmp_path):
    start = multiprocessing.get_context("fork").Process
    both = [start(target=synthetic.write, args=(tmp_path / "synthetic",)) for _ in range(2)]
    for process in both:
        process.start()
    while not (tmp_path / "synthetic").exists() and any(process.is_alive() for process in both):
        time.sleep(0.0005)
    first_seen = digest(tmp_path / "synthetic")
    for process in both:
        process.join()
    assert digest(tmp_path / "synthetic") == first_seen  # it came whole, and was not touched again
    assert [process.exitcode for process in both] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]
    assert len(corpora.load("synthetic", tmp_path / "synthetic", allow_partial=True)) > 0


def test_another_version_on_disk_is_refused(quick, tmp_path):
    synthetic.write(tmp_path / "synthetic")
    (tmp_path / "synthetic" / synthetic.README).write_text("SYNTHETIC corpus, version 0")
    with pytest.raises(SerError, match="another version.*remove the folder"):
        corpora.load("synthetic", tmp_path / "synthetic", allow_partial=True)
