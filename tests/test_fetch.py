"""Fetching a corpus, from a server on this machine: what arrives is whole, safe and the corpus, or nothing is there."""

import errno
import functools
import hashlib
import http.server
import io
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample

from ser_lib import __main__, corpora, fetch, paths
from ser_lib.errors import SerError

NAMES = ["03a01Fa", "03a01Nc", "08a02Wb"]


# A small corpus and its server


def wave(seed: int, samples: int = 20_000) -> np.ndarray:
    """Noise below 4 kHz whose level changes: a recording of its own for every seed."""
    random = np.random.default_rng(seed)
    level = np.interp(np.arange(samples), np.linspace(0, samples, 12), random.uniform(200, 3000, 12))
    return (resample(random.normal(size=samples // 3), samples) * level).astype(np.int16)


def wav(samples: np.ndarray, rate: int = 16_000, **options) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **options})
    return file.getvalue()


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def published(monkeypatch, tmp_path) -> dict[str, bytes]:
    """The files of a corpus in Emo-DB's layout; the digests are made to be theirs."""
    files = {f"wav/{name}.wav": wav(wave(seed)) for seed, name in enumerate(NAMES)} | {"erkennung.txt": b"text"}
    original = tmp_path / "original"
    for name, content in files.items():
        (original / name).parent.mkdir(parents=True, exist_ok=True)
        (original / name).write_bytes(content)
    monkeypatch.setattr(fetch, "DIGESTS", tmp_path)
    fetch.describe("emodb", original).to_csv(tmp_path / "emodb.csv")
    return files


class Server(http.server.ThreadingHTTPServer):
    """Serves one file as told: which requests there were, and what goes wrong, is in its attributes."""

    content = b""
    version = '"1"'
    ranges = True  # whether it knows Range
    with_length = True
    statuses: list[int] = []  # given, first to last, in place of the file
    stops: list[int] = []  # bytes after which each answer breaks off
    wrong_range = 0  # how far off the answered range is
    headers_sent = ()

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []  # headers of each
        self.statuses, self.stops = [], []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/corpus.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if server.statuses:
            return self.send_error(server.statuses.pop(0))
        start, size = 0, len(server.content)
        asked = self.headers.get("Range")
        if server.ranges and asked and self.headers.get("If-Range", server.version) == server.version:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) + server.wrong_range
            if start >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        else:
            self.send_response(200)
        if server.version:
            self.send_header("ETag", server.version)
        if server.with_length:
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        end = start + server.stops.pop(0) if server.stops else size
        self.wfile.write(server.content[start:end])


@pytest.fixture
def server(published):
    with Server() as running:
        running.content = archive(published)
        thread = threading.Thread(target=functools.partial(running.serve_forever, poll_interval=0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def small_scale(monkeypatch):
    """No waiting, and blocks of which a small file has many: what has arrived of a block that is not whole is lost."""
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    monkeypatch.setattr(fetch, "BLOCK", 100)


def get(server, root, name="emodb", **options) -> str:
    return fetch.fetch(name, root, agree=lambda _: None, url=server.url, **options)


def refused(server, root, *words, name="emodb") -> None:
    """Fetching is one line of error with these words, and nothing that counts is left."""
    with pytest.raises(SerError) as caught:
        get(server, root, name)
    text = str(caught.value)
    assert "\n" not in text and all(word in text for word in words), text
    assert not root.exists()
    assert [path.name for path in root.parent.iterdir()] in ([], [f".fetch-{root.name}"])


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "corpora").mkdir()
    return tmp_path / "corpora" / "emodb"


def kept(root: Path) -> list[str]:
    """What is kept of a transfer, by kind."""
    return sorted(path.suffix for path in root.parent.glob(".fetch-emodb/*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What goes well


@pytest.mark.parametrize("prefix", ["", "nEMO-06f1f83/"])
def test_a_corpus_is_fetched_as_published_and_nothing_else_is_left(server, published, root, prefix):
    server.content = archive({prefix + name: content for name, content in published.items()})
    text = get(server, root)
    assert text == f"emodb fetched: 3 recordings the same sample by sample in {root}"
    assert contents(root) == published
    assert list(root.parent.iterdir()) == [root] and len(server.requests) == 1


def test_again_it_says_that_it_is_there_and_asks_nobody(server, root):
    get(server, root)
    before = contents(root)
    text = fetch.fetch("emodb", root, agree=lambda _: pytest.fail("asked"), url=server.url)
    assert text == f"emodb is already there, nothing was fetched: 3 recordings the same sample by sample in {root}"
    assert len(server.requests) == 1 and contents(root) == before


def test_a_folder_that_is_there_and_is_not_whole_is_named_and_not_touched(server, root):
    get(server, root)
    (root / "wav" / "03a01Fa.wav").unlink()
    before = contents(root)
    with pytest.raises(SerError, match=r"already, not as published: 1 missing \(03a01Fa\); move it away"):
        get(server, root)
    assert contents(root) == before


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_something_else_in_its_place_is_not_touched(server, root, kind):
    mine = root if kind == "file" else root / "mine"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("keep")
    with pytest.raises(SerError, match="is there already and is something else; move it away"):
        get(server, root)
    assert mine.read_text() == "keep" and server.requests == []


def test_an_empty_folder_is_no_hindrance(server, published, root):
    root.mkdir()
    get(server, root)
    assert contents(root) == published


def test_without_a_root_the_environment_says_where(server, monkeypatch, tmp_path):
    monkeypatch.setenv("SER_CORPORA", str(tmp_path / "deep" / "corpora"))
    get(server, None)
    assert (tmp_path / "deep" / "corpora" / "emodb" / "wav").is_dir()
    monkeypatch.delenv("SER_CORPORA")
    with pytest.raises(SerError, match="no folder given; pass root"):
        get(server, None)


# Transfers that break off


def test_an_interrupted_transfer_goes_on_where_it_stopped(server, root):
    server.stops = [1000, 700]
    get(server, root)
    assert [request.get("Range") for request in server.requests] == [None, "bytes=1000-", "bytes=1700-"]
    assert [request.get("If-Range") for request in server.requests] == [None, '"1"', '"1"']


def test_a_later_command_goes_on_where_an_earlier_one_gave_up(server, published, root):
    server.stops = [1000] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root, f"interrupted {fetch.ATTEMPTS} times, 1000 bytes have arrived", "goes on where")
    assert kept(root) == [".part", ".version"] and len(server.requests) == fetch.ATTEMPTS
    get(server, root)
    assert server.requests[-1]["Range"] == "bytes=1000-" and contents(root) == published


def test_a_server_that_ignores_range_starts_again_from_nothing(server, tmp_path):
    server.ranges, server.stops = False, [1000]
    # Not by what it unpacks to: zipfile reads an archive that has something in front of it, too.
    assert fetch.transfer(server.url, tmp_path / "transfer", None, False).read_bytes() == server.content
    assert server.requests[1]["Range"] == "bytes=1000-"


def test_a_file_that_changed_meanwhile_starts_again_from_nothing(server, published, root):
    server.stops = [1000] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root)
    server.content, server.version = archive(published, zipfile.ZIP_STORED), '"2"'
    get(server, root)
    assert contents(root) == published


def test_what_arrived_from_another_address_is_not_gone_on_with(server, published, root):
    server.stops = [1000] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root)
    fetch.fetch("emodb", root, agree=lambda _: None, url=server.url + "?mirror")
    assert "Range" not in server.requests[-1] and contents(root) == published


def test_another_range_than_was_asked_for_is_not_used(server, published, root):
    server.stops, server.wrong_range = [1000], -10
    get(server, root)
    assert [request.get("Range") for request in server.requests] == [None, "bytes=1000-", None]
    assert contents(root) == published


@pytest.mark.parametrize("extra", [b"", b"more"])
def test_a_part_that_is_whole_or_longer_is_settled(server, published, root, extra):
    server.stops = [1000] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root)
    [part] = root.parent.glob(".fetch-emodb/*.part")
    part.write_bytes(server.content + extra)
    get(server, root)
    assert contents(root) == published


def test_a_server_that_is_busy_is_asked_again(server, root):
    server.statuses = [503, 429]
    get(server, root)
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_an_error(server, root):
    server.statuses = [503] * fetch.ATTEMPTS
    refused(server, root, "no connection to 127.0.0.1", "503 Service Unavailable", "check the network")


def test_pauses_double_from_attempt_to_attempt(server, root, monkeypatch):
    pauses = []
    monkeypatch.setattr(fetch, "PAUSE", 1.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.statuses = [503, 503, 503]
    get(server, root)
    assert pauses == [1, 2, 4]


def test_no_network(server, root):
    server.shutdown()
    server.server_close()
    refused(server, root, f"no connection to 127.0.0.1 in {fetch.ATTEMPTS} attempts", "check the network")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_address_that_is_not_found_is_asked_for_once(server, root, status):
    server.statuses = [status]
    refused(server, root, server.url, f"was not found ({status}", "--url")
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["corpus.zip", "ftp://127.0.0.1/corpus.zip", "http://"])
def test_what_is_no_address_is_an_error(root, url):
    with pytest.raises(SerError, match="is not an address to fetch from"):
        fetch.fetch("emodb", root, agree=lambda _: None, url=url)
    assert not root.exists()


@pytest.mark.parametrize("with_length", [True, False])
def test_the_progress_bar_starts_where_the_transfer_does(server, root, monkeypatch, with_length):
    bars = []

    class Bar(fetch.tqdm):
        def __init__(self, **options):
            bars.append(self)
            super().__init__(**options | {"disable": False, "file": io.StringIO()})
            self.options = options

    monkeypatch.setattr(fetch, "tqdm", Bar)
    server.stops, server.with_length, size = [1000], with_length, len(server.content)
    if not with_length:
        server.stops = []
    get(server, root, progress=True)
    shutil.rmtree(root)
    get(server, root)
    assert [bar.options["initial"] for bar in bars] == ([0, 1000, 0] if with_length else [0, 0])
    assert [bar.n for bar in bars][-2:] == [size, size]
    assert {bar.options["total"] for bar in bars} == {size if with_length else None}
    # None shows a bar to a person and not to a log.
    assert [bar.options["disable"] for bar in bars][-2:] == [None, True]


# Wrong bytes


def test_the_checksum_of_the_archive_is_compared_where_it_is_known(server, root, tmp_path):
    right = "md5:" + hashlib.md5(server.content).hexdigest()
    assert fetch.transfer(server.url, tmp_path / "a", right, False).read_bytes() == server.content
    with pytest.raises(fetch.Unfit, match="gave other bytes than were published") as caught:
        fetch.transfer(server.url, tmp_path / "b", "md5:" + "0" * 32, False)
    assert "\n" not in str(caught.value) and list((tmp_path / "b").iterdir()) == []


def test_the_publishers_own_archive_is_held_to_its_checksum(server, root, monkeypatch):
    given = []
    monkeypatch.setattr(
        fetch, "transfer", lambda url, folder, checksum, progress: given.append((url, checksum)) or 1 / 0
    )
    for url in (None, server.url):
        with pytest.raises(ZeroDivisionError):
            fetch.fetch("ravdess", root, agree=lambda _: None, url=url)
    source = fetch.SOURCES["ravdess"]
    assert given == [(source.url, source.checksum), (server.url, None)] and source.checksum.startswith("md5:")


def test_missing_extra_and_different_recordings_are_named(server, published, root):
    other = np.frombuffer(published["wav/03a01Nc.wav"][44:], "<i2").copy()
    other[777] += 1  # one sample, by one
    server.content = archive(
        {"wav/03a01Nc.wav": wav(other), "wav/08a02Wb.wav": published["wav/08a02Wb.wav"][:-2], "wav/new.wav": wav(other)}
    )
    refused(
        server, root, "1 missing (03a01Fa)", "1 not of the corpus (new.wav)",
        "2 different (03a01Nc.wav: other samples, 08a02Wb.wav: 19999 samples where 20000 were published)",
    )  # fmt: skip
    assert kept(root) == []  # it would only be the same again


def test_only_the_first_few_are_named_and_all_are_counted(server, published, root):
    server.content = archive(published | {f"wav/new{number}.wav": wav(wave(9)) for number in range(8)})
    refused(server, root, "8 not of the corpus (new0.wav, new1.wav, new2.wav, new3.wav, new4.wav, and 3 more)")


def test_a_recording_that_cannot_be_decoded_is_different(server, published, root):
    server.content = archive(published | {"wav/03a01Fa.wav": b"RIFF, but no more"})
    refused(server, root, "1 different (03a01Fa.wav: ")


def test_neither_header_nor_packing_matters(server, published, root):
    samples = [np.frombuffer(published[f"wav/{name}.wav"][44:], "<i2") for name in NAMES]
    server.content = archive(
        {
            "wav/03a01Fa.flac": wav(samples[0], format="FLAC"),
            "wav/03a01Nc.wav": wav(samples[1].astype(np.int32) << 16, subtype="PCM_24"),
            "wav/08a02Wb.wav": wav(samples[2], format="WAVEX"),
        }
    )
    assert "3 recordings the same sample by sample" in get(server, root)


def test_a_recording_that_is_there_twice_is_named(server, published, root):
    server.content = archive(published | {"wav/03a01Fa.flac": wav(wave(0), format="FLAC")})
    refused(server, root, "1 not of the corpus (03a01Fa: occurs twice")


# Recordings at another rate than their digests


@pytest.mark.parametrize("rate", [24_000, 48_000])
@pytest.mark.parametrize("gain", [1, 0.5])
def test_at_another_rate_length_and_envelope_are_compared(server, published, root, rate, gain):
    def at(rate, seed, samples=20_000):
        return wav((gain * resample(wave(seed, samples), samples * rate // 16_000)).astype(np.int16), rate)

    files = {f"wav/{name}.wav": at(rate, seed) for seed, name in enumerate(NAMES)}
    server.content = archive(files)
    assert "emodb fetched: 3 alike in length and envelope" in get(server, root)
    shutil.rmtree(root)

    server.content = archive(files | {"wav/03a01Fa.wav": at(rate, 7)})
    refused(server, root, "1 different (03a01Fa.wav: another envelope)")
    longer = at(rate, 0, 20_004)
    server.content = archive(files | {"wav/03a01Fa.wav": longer})
    refused(server, root, "1 different (03a01Fa.wav: 20004 samples at 16 kHz where 20000 are expected)")


def test_one_channel_recorded_twice_becomes_one_and_two_channels_do_not(server, published, root):
    one = np.frombuffer(published["wav/03a01Fa.wav"][44:], "<i2")
    server.content = archive(published | {"wav/03a01Fa.wav": wav(np.stack([one, one], axis=1))})
    assert "3 recordings the same sample by sample; one of two equal channels kept of 03a01Fa.wav" in get(server, root)
    assert contents(root)["wav/03a01Fa.wav"] == published["wav/03a01Fa.wav"]
    shutil.rmtree(root)

    server.content = archive(published | {"wav/03a01Fa.wav": wav(np.stack([one, one // 2], axis=1))})
    refused(server, root, "1 different (03a01Fa.wav: 2 channels)")


# Archives that are damaged or dangerous


@pytest.mark.parametrize(
    "spoil",
    {
        "truncated": lambda content: content[:-200],
        "cut in the middle": lambda content: content[: len(content) // 2],
        "empty": lambda content: b"",
        "a web page": lambda content: b"<!DOCTYPE html><html></html>",
        "one byte": lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
    }.items(),
    ids=lambda item: item[0],
)
@pytest.mark.parametrize("with_length", [True, False])
def test_a_damaged_archive_is_an_error_and_is_not_kept(server, root, spoil, with_length):
    server.content, server.with_length = spoil[1](server.content), with_length
    refused(server, root, "truncated, damaged or not a zip archive", "run the same command again")
    assert kept(root) == []


@pytest.mark.parametrize(
    "name", ["../evil", "wav/../../evil", "/evil", "..\\evil", "wav\\..\\..\\evil", "C:\\evil", "C:evil", "\\evil"]
)
def test_an_entry_that_leaves_its_folder_is_an_error_before_anything_is_written(
    server, published, root, name, monkeypatch
):
    monkeypatch.setattr(zipfile.ZipFile, "extract", lambda *_: pytest.fail("written"))
    server.content = archive(published | {name: b"evil"})
    refused(server, root, "not safe", "leads out of its folder")
    assert kept(root) == [] and not list(root.parents[1].rglob("evil"))


def test_a_link_is_an_error(server, published, root):
    link = zipfile.ZipInfo("wav/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO(archive(published))
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr(link, "/etc")
    server.content = file.getvalue()
    refused(server, root, "not safe", "'wav/link' is a link")


@pytest.mark.parametrize("limit, value", [("LARGEST", 100_000), ("MOST_ENTRIES", 3)])
def test_a_bomb_is_an_error_before_anything_is_written(server, root, limit, value, monkeypatch):
    monkeypatch.setattr(fetch, limit, value)
    monkeypatch.setattr(zipfile.ZipFile, "extract", lambda *_: pytest.fail("written"))
    refused(server, root, "not safe: 4 entries of 0 MB unpacked")


def test_an_archive_of_something_else(server, root):
    server.content = archive({"photos/cat.jpg": b"cat", "README": b""})
    refused(server, root, "holds something else than Emo-DB")
    assert kept(root) == []


# Disks that are full, processes that are killed


def test_no_space_for_the_archive_is_said_before_it_is_fetched(server, root, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, len(server.content) - 1))
    refused(server, root, "no space for the archive", "make room there")
    assert ".part" not in kept(root)


def test_no_space_for_the_unpacked_corpus_is_said_before_it_is_unpacked_and_the_archive_is_kept(
    server, published, root, monkeypatch
):
    needed = sum(map(len, published.values()))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, needed - 1))
    monkeypatch.setattr(zipfile.ZipFile, "extract", lambda *_: pytest.fail("written"))
    refused(server, root, "no space for the unpacked corpus", "make room there")
    assert kept(root) == [".zip"]
    monkeypatch.undo()


def test_what_is_left_of_a_transfer_is_what_needs_space(server, root, monkeypatch):
    server.stops = [len(server.content) - 10] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root)
    monkeypatch.setattr(fetch, "unpack", lambda *_: 1 / 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 10 + fetch.BLOCK))
    with pytest.raises(ZeroDivisionError):
        get(server, root)


class FullDisk(io.FileIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_meanwhile_keeps_what_has_arrived(server, published, root, monkeypatch):
    server.stops = [1000] + [0] * (fetch.ATTEMPTS - 1)
    refused(server, root)
    monkeypatch.setattr(fetch, "open", FullDisk, raising=False)
    refused(server, root, "no space left for the archive", "make room there", "goes on where")
    monkeypatch.undo()
    assert [path.stat().st_size for path in root.parent.glob(".fetch-emodb/*.part")] == [1000]


def test_a_disk_that_fills_up_while_unpacking_keeps_the_archive_and_is_not_asked_for_it_again(
    server, published, root, monkeypatch
):
    def extract(self, entry, folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "extract", extract)
        refused(server, root, "could not be written: No space left on device", "is kept")
    assert kept(root) == [".zip"]
    get(server, root)
    assert contents(root) == published and len(server.requests) == 1


@pytest.mark.parametrize("moment", ["keep_one_channel", "compare"])
def test_killed_in_the_middle_nothing_counts_and_the_next_command_finishes(server, published, root, tmp_path, moment):
    code = (
        "import os, pathlib, signal, sys\n"
        "from ser_lib import fetch\n"
        "url, root, digests, moment = sys.argv[1:]\n"
        "fetch.DIGESTS = pathlib.Path(digests)\n"
        "setattr(fetch, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))\n"
        "fetch.fetch('emodb', root, agree=lambda _: None, url=url)\n"
    )
    arguments = [sys.executable, "-c", code, server.url, str(root), str(fetch.DIGESTS), moment]
    assert subprocess.run(arguments, cwd=paths.PROJECT).returncode == -9
    assert not root.exists()
    get(server, root)
    assert contents(root) == published and len(server.requests) == 1


# The committed digests


@pytest.mark.parametrize("name, count", [("emodb", 535), ("ravdess", 672), ("nemo", 1152)])
def test_there_is_a_digest_for_every_recording_that_it_says(name, count):
    table = fetch.digests(name)
    assert len(table) == count and table.index.is_unique and table.index.is_monotonic_increasing
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert table["envelope"].str.fullmatch("[0-9a-f]{64}").all()
    assert set(table["rate"]) == {16_000} and table["frames"].between(8_000, 200_000).all()


@pytest.mark.parametrize(
    "name, twice", [("ravdess", {"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"}), ("nemo", set())]
)
def test_no_two_recordings_are_within_the_tolerance_of_the_envelope(name, twice):
    table = fetch.digests(name)
    envelopes = np.array([list(bytes.fromhex(text)) for text in table["envelope"]], dtype=np.int16)
    near = set()
    for row, one in enumerate(envelopes):
        distances = np.abs(envelopes[row + 1 :] - one).max(axis=1)
        if (distances <= fetch.ENVELOPE_TOLERANCE).any():
            near |= {table.index[row], *table.index[row + 1 :][distances <= fetch.ENVELOPE_TOLERANCE]}
    assert near == twice


@pytest.mark.parametrize("name", fetch.SOURCES)
def test_the_real_recordings_are_those_of_the_digests(name, open_corpus):
    root = open_corpus(name)
    compared = fetch.compare(name, root)
    assert compared == fetch.Comparison(same=len(fetch.digests(name)))
    first = fetch.describe(name, root).iloc[:20]
    assert first.equals(fetch.digests(name).iloc[:20])


@pytest.mark.parametrize(
    "name, published, strange",
    [
        ("ravdess", "03-01-06-01-02-01-12", "03-01-05-01-02-01-25"),
        ("nemo", "MP0_fear_12", "mine"),
    ],
)
def test_published_recordings_without_a_digest_are_counted_and_strange_ones_named(
    name, published, strange, tmp_path, monkeypatch
):
    folder = tmp_path / {"ravdess": "Actor_12", "nemo": "samples"}[name]
    folder.mkdir()
    for seed, each in enumerate((published, strange)):
        (folder / f"{each}.wav").write_bytes(wav(wave(seed)))
    compared = fetch.compare(name, tmp_path)
    assert (compared.unchecked, compared.extra, compared.same) == (1, [f"{strange}.wav"], 0)
    assert "1 not checked (no digest)" in str(compared) and len(compared.missing) == len(fetch.digests(name))


def test_every_open_corpus_has_a_source_and_its_loader_knows_the_name():
    assert set(fetch.SOURCES) == set(corpora.NAMES) - {"iemocap", "synthetic"}
    for name, source in fetch.SOURCES.items():
        assert source.url.startswith("http") and source.title == corpora.TITLES[name]


# The command


@pytest.fixture
def command(monkeypatch, capsys):
    """A function that runs a command line with or without a terminal: exit status, stdout, stderr."""

    def run(*arguments, typed: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ser_lib", "fetch", *map(str, arguments)])
        stdin = io.StringIO(typed or "")
        stdin.isatty = lambda: typed is not None
        monkeypatch.setattr(sys, "stdin", stdin)
        status = __main__.main()
        return status, *capsys.readouterr()

    return run


def test_the_licence_is_shown_and_asked_for(command, server, root):
    status, out, err = command("emodb", "--root", root, "--url", server.url, typed="n\n")
    assert (
        status == 1
        and "licence: CC0 1.0" in out
        and err.endswith("error: nothing was fetched: the licence was not agreed to\n")
    )
    assert not root.exists() and server.requests == []
    status, out, err = command("emodb", "--root", root, "--url", server.url, typed="y\n")
    assert status == 0 and "emodb fetched: 3 recordings" in out and root.is_dir()


def test_yes_agrees_without_a_question_and_still_shows_the_licence(command, server, root):
    status, out, err = command("emodb", "--root", root, "--url", server.url, "--yes")
    assert status == 0 and "licence: CC0 1.0" in out and "?" not in out and "emodb fetched" in out


def test_with_neither_terminal_nor_yes_nothing_is_fetched(command, server, root):
    status, out, err = command("emodb", "--root", root, "--url", server.url)
    assert (
        (status, out) == (1, "") and err.count("\n") == 1 and err.startswith("error: Emo-DB is under the licence CC0")
    )
    assert "--yes" in err and server.requests == [] and not root.exists()


@pytest.mark.parametrize(
    "name, words",
    [
        ("iemocap", "is licensed and cannot be fetched"),
        ("synthetic", "is not fetched: it is written when first used"),
        ("emodbb", "did you mean 'emodb'?"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(command, root, name, words):
    status, out, err = command(name, "--root", root, "--yes")
    assert (status, out) == (1, "") and words in err and err.count("\n") == 1


def test_an_error_of_the_transfer_is_one_line(command, server, root):
    server.statuses = [404]
    status, _, err = command("emodb", "--root", root, "--url", server.url, "--yes")
    assert status == 1 and err.count("\n") == 1 and err.startswith(f"error: {server.url} was not found (404")


def test_bytes_of_an_older_version_do_not_stay_when_there_is_no_room_for_the_newer(
    server, published, root, monkeypatch
):
    """They would be taken for the beginning of the newer one, whose name stands beside them."""
    server.version, server.stops = '"1"', [1000]
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "ATTEMPTS", 1)
        with pytest.raises(SerError):
            get(server, root)
    assert len(list(root.parent.rglob("*.part"))) == 1
    server.version = '"2"'
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "check_space", lambda *_: (_ for _ in ()).throw(SerError("no room")))
        with pytest.raises(SerError, match="no room"):
            get(server, root)
    assert list(root.parent.rglob("*.part")) == []


def test_a_weak_tag_names_no_version_to_go_on_with(server, published, root):
    """Two files of one weak tag need not be the same bytes (RFC 9110, 13.1.5)."""
    server.version, server.stops = 'W/"1"', [1000]
    get(server, root)
    assert [request.get("If-Range") for request in server.requests] == [None, None] and contents(root) == published
