"""Emo-DB, RAVDESS and nEMO: the real ones where they are at hand, and little ones with every fault."""

import shutil
from collections import Counter

import pytest

from ser_lib import corpora
from ser_lib.corpora import emodb, nemo, ravdess
from ser_lib.errors import SerError


def message(name, root, allow_partial=True) -> str:
    with pytest.raises(SerError) as caught:
        corpora.load(name, root, allow_partial=allow_partial)
    return str(caught.value)


def pairs(loaded) -> list[tuple[str, str]]:
    speakers = loaded.groupby(["session", "gender"])["speaker"].unique()
    return [
        (str(speakers[session, "F"][0]), str(speakers[session, "M"][0])) for session in sorted(set(loaded["session"]))
    ]


# Emo-DB


@pytest.fixture
def small_emodb(files, tmp_path):
    root = tmp_path / "emodb"
    for name in ("03a01Nc", "03a01Wa", "08a02Fb", "08b10Ta", "16a05La", "16a07Aa", "16b01Ed"):
        files.audio(root / "wav" / f"{name}.wav")
    return root


def test_emodb_as_published(open_corpus):
    loaded = corpora.load("emodb", open_corpus("emodb"))
    assert Counter(loaded["emotion"]) == emodb.PUBLISHED_COUNTS and len(loaded) == 339
    assert pairs(loaded) == [("08", "03"), ("09", "10"), ("13", "11"), ("14", "12"), ("16", "15")]
    cells = corpora.counts(loaded)
    assert list(cells.index) == ["08", "03", "09", "10", "13", "11", "14", "12", "16", "15"]
    assert cells.loc["10"].tolist() == [4, 3, 10, 4, 21] and cells.loc["12"].tolist() == [4, 4, 12, 2, 22]


def test_emodb_reads_its_names(small_emodb):
    loaded = corpora.load("emodb", small_emodb, allow_partial=True).set_index("utterance")
    assert loaded["emotion"].to_dict() == {
        "03a01Nc": "neutral",
        "03a01Wa": "anger",
        "08a02Fb": "happiness",
        "08b10Ta": "sadness",
    }
    assert loaded["gender"].to_dict() == {"03a01Nc": "M", "03a01Wa": "M", "08a02Fb": "F", "08b10Ta": "F"}
    assert set(loaded["scenario"]) == {"acted"} and set(loaded["session"]) == {1}
    assert "the study's own choice" in loaded.attrs["notes"][0]


def test_emodb_not_whole(small_emodb):
    text = message("emodb", small_emodb, allow_partial=False)
    assert "neutral: expected 79, found 1" in text and "all files: expected 535, found 7" in text
    assert "--allow-partial" in text
    assert any("expected 79" in note for note in corpora.load("emodb", small_emodb, allow_partial=True).attrs["notes"])


@pytest.mark.parametrize("name", ["03a01Xc", "99a01Nc", "03a01N", "03-01-01-01-01-01-01", "a copy of 03a01Nc"])
def test_emodb_name_that_is_not_its_own(small_emodb, files, name):
    extra = files.audio(small_emodb / "wav" / f"{name}.wav")
    text = message("emodb", small_emodb)
    assert str(extra) in text and "rename it as published or move it out" in text


def test_emodb_wrong_level(small_emodb):
    for root in (small_emodb / "wav", small_emodb.parent):
        assert f"it looks like you meant {small_emodb}" in message("emodb", root)


def test_emodb_unfit_file_is_named(small_emodb):
    (small_emodb / "wav" / "03a01Nc.wav").write_bytes(b"")
    assert str(small_emodb / "wav" / "03a01Nc.wav") in message("emodb", small_emodb)


# RAVDESS


@pytest.fixture
def small_ravdess(files, tmp_path):
    root = tmp_path / "ravdess"
    for actor in ("01", "02"):
        for emotion in ("01", "02", "03", "04", "05", "06", "07", "08"):
            files.audio(root / f"Actor_{actor}" / f"03-01-{emotion}-01-01-01-{actor}.wav", 4800, 48_000)
    files.audio(root / "Actor_01" / "03-02-03-01-01-01-01.wav")  # song
    return root


def test_ravdess_as_published(open_corpus):
    loaded = corpora.load("ravdess", open_corpus("ravdess"))
    assert len(loaded) == 672 and Counter(loaded["emotion"])["neutral"] == 96
    assert pairs(loaded)[0] == ("02", "01") and pairs(loaded)[-1] == ("24", "23") and len(pairs(loaded)) == 12
    [note] = [note for note in loaded.attrs["notes"] if "same recording" in note]
    assert "03-01-03-01-02-01-07" in note and "03-01-03-01-02-02-07" in note


def test_ravdess_takes_speech_of_the_four_emotions(small_ravdess):
    loaded = corpora.load("ravdess", small_ravdess, allow_partial=True)
    assert len(loaded) == 8 and set(loaded["duration"]) == {0.1}
    of_first = loaded[loaded["speaker"] == "01"]
    assert of_first["emotion"].tolist() == ["neutral", "happiness", "sadness", "anger"]
    assert set(of_first["gender"]) == {"M"} and set(loaded["session"]) == {1}


def test_ravdess_not_whole(small_ravdess):
    shutil.rmtree(small_ravdess / "Actor_02")
    text = message("ravdess", small_ravdess, allow_partial=False)
    assert "actor 01 neutral: expected 4, found 1" in text and "--allow-partial" in text
    assert any("actor 01" in note for note in corpora.load("ravdess", small_ravdess, allow_partial=True).attrs["notes"])


@pytest.mark.parametrize("name", ["03-01-09-01-01-01-01", "03-01-05-01-01-01-02", "03-01-05-01-01-01", "notes"])
def test_ravdess_name_that_does_not_fit(small_ravdess, files, name):
    extra = files.audio(small_ravdess / "Actor_01" / f"{name}.wav")
    text = message("ravdess", small_ravdess)
    assert str(extra) in text and "rename it as published or move it out" in text


def test_ravdess_wrong_level(small_ravdess):
    for root in (small_ravdess / "Actor_01", small_ravdess.parent):
        assert f"it looks like you meant {small_ravdess}" in message("ravdess", root)


# nEMO

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"
ALL_SPEAKERS = [*((speaker, "female") for speaker in nemo.WOMEN), *((speaker, "male") for speaker in nemo.MEN)]


def nemo_row(speaker, emotion, sentence=1, gender="female"):
    return f'{speaker}_{emotion}_{sentence}.wav\t{emotion}\t"Tak.\ttak\t        {speaker}\t{gender}\t30'


@pytest.fixture
def small_nemo(files, tmp_path):
    root = tmp_path / "nemo"
    rows = [
        nemo_row(speaker, emotion, 1, gender)
        for speaker, gender in ALL_SPEAKERS
        for emotion in (*corpora.EMOTIONS, "fear", "surprised")
    ]
    rows += [nemo_row("MP0", "anger", 1, "male"), nemo_row("MP0", "neutral", 7, "male")]
    for row in rows:
        files.audio(root / "samples" / row.split("\t")[0].replace(".wav", ".flac"), 2400, 24_000)
    (root / "data.tsv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return root


def add_nemo_row(root, row) -> int:
    text = (root / "data.tsv").read_text(encoding="utf-8")
    (root / "data.tsv").write_text(text + row + "\n", encoding="utf-8")
    return text.count("\n") + 1


def test_nemo_reference_subset(open_corpus):
    loaded = corpora.load("nemo", open_corpus("nemo"))
    assert Counter(loaded["emotion"]) == dict.fromkeys(corpora.EMOTIONS, 288)
    assert pairs(loaded) == [("EB0", "KS0"), ("IC0", "SM0"), ("KD0", "TP0"), ("MK0", "WR0")]


def test_nemo_leaves_out_other_emotions_and_the_speaker_without_partner(small_nemo):
    loaded = corpora.load("nemo", small_nemo)
    assert len(loaded) == 32 and "MP0" not in set(loaded["speaker"])
    assert loaded["speaker"].str.strip().tolist() == loaded["speaker"].tolist()
    assert any("MP0 (2 labelled files)" in note for note in loaded.attrs["notes"])
    assert any("the study's own choice" in note for note in loaded.attrs["notes"])


def test_nemo_label_without_audio(small_nemo):
    (small_nemo / "samples" / "EB0_anger_1.flac").unlink()
    text = message("nemo", small_nemo, allow_partial=False)
    assert "label without audio: EB0_anger_1" in text and "data.tsv line 4" in text and "--allow-partial" in text
    assert any("EB0_anger_1" in note for note in corpora.load("nemo", small_nemo, allow_partial=True).attrs["notes"])


def test_nemo_audio_without_label(small_nemo, files):
    extra = files.audio(small_nemo / "samples" / "EB0_anger_9.wav")
    assert f"audio without label: {extra}" in message("nemo", small_nemo, allow_partial=False)


def test_nemo_speaker_missing(small_nemo):
    lines = (small_nemo / "data.tsv").read_text(encoding="utf-8").splitlines()
    (small_nemo / "data.tsv").write_text("\n".join(line for line in lines if "EB0" not in line), encoding="utf-8")
    for path in (small_nemo / "samples").glob("EB0*"):
        path.unlink()
    assert "no utterance of speaker EB0" in message("nemo", small_nemo, allow_partial=False)


@pytest.mark.parametrize(
    "row, words",
    [
        (nemo_row("EB0", "anger"), "labelled twice"),
        (nemo_row("EB0", "rage", 9), "unknown emotion 'rage'"),
        (nemo_row("ZZ0", "anger", 9), "unknown speaker 'ZZ0'"),
        (nemo_row("EB0", "anger", 9, "male"), "gender 'male' is not that of speaker EB0"),
        (nemo_row("EB0", "anger", 9).replace("\tanger\t", "\tneutral\t"), "contradicts its row"),
        (nemo_row("EB0", "anger", 9).replace("_", "-"), "not of the form"),
        ("EB0_anger_9.wav\tanger", "has 2 fields where the header has 7"),
    ],
)
def test_nemo_row_that_cannot_be(small_nemo, row, words):
    number = add_nemo_row(small_nemo, row)
    text = message("nemo", small_nemo)
    assert f"data.tsv line {number}" in text and words in text and "as published" in text


def test_nemo_header_without_a_column(small_nemo):
    path = small_nemo / "data.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("\tspeaker_id", "\tspeaker"), encoding="utf-8")
    assert "has no column speaker_id" in message("nemo", small_nemo)


def test_nemo_wrong_level(small_nemo):
    for root in (small_nemo / "samples", small_nemo.parent):
        assert f"it looks like you meant {small_nemo}" in message("nemo", root)


def test_ravdess_actor_codes_cover_the_published_actors():
    assert len(ravdess.ACTORS) == 24 and all(ravdess.NAME.fullmatch(f"03-01-01-01-01-01-{a}") for a in ravdess.ACTORS)
