"""Getting the open corpora from their publishers: the licence first, a transfer that resumes, samples that are checked.

What is compared are digests of the DECODED audio in ``corpora/digests/NAME.csv``, so that neither the header of a wav
nor packing it as flac matters. They were made with :func:`describe` from

- Emo-DB: all 535 files as published (16 kHz, 16 bit). Every sample is compared.
- RAVDESS: the 672 files of the four emotions, resampled to 16 kHz; published are 48 kHz.
- nEMO: 1152 of the 4481 files (36 sentences, eight speakers, four emotions), resampled to 16 kHz; published are 24 kHz.

A file at another rate than its digest's cannot have the same samples. It is compared by what resampling leaves as it
is: its length, and its envelope below 4 kHz. Files without a digest are counted and said to be unchecked. RAVDESS's
archive is compared as a whole, too, with the checksum that Zenodo shows.

The addresses are the publishers', and have not been tried: nothing was fetched from them yet, and no archive of theirs
was seen. Should one have moved, ``--url`` takes another.
"""

import errno
import hashlib
import math
import re
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from urllib.parse import urlsplit

import numpy
import pandas
import pooch
import requests
import soundfile
from scipy.signal import resample_poly
from tqdm import tqdm

from ser_lib import audio, paths
from ser_lib.corpora import emodb, nemo, ravdess, table
from ser_lib.errors import SerError, suggestion
from ser_lib.files import write_folder

DIGESTS = Path(__file__).parent / "corpora" / "digests"

ATTEMPTS = 5
PAUSE = 1.0  # seconds before the second attempt; doubled before each that follows
TIMEOUT = (10, 60)  # seconds: to connect, and between two blocks
BLOCK = 1 << 16  # bytes
BUSY = (429, 500, 502, 503, 504)  # answers of a server that may be well again in a moment

LARGEST = 4 << 30  # bytes unpacked; the largest of the three corpora has under one
MOST_ENTRIES = 20_000

LENGTH_TOLERANCE = 3  # samples at 16 kHz: resamplers round and pad their ends differently
PARTS = 32  # of an envelope
ENVELOPE_RATE = 8_000  # Hz: far enough below 16 kHz that the slopes of resampling filters are left out
ENVELOPE_TOLERANCE = 20  # of 255: ways of resampling differ by far less, any two recordings of a corpus by more


@dataclass(frozen=True)
class Source:
    """Where one corpus comes from, and how its folder is laid out."""

    title: str
    url: str
    page: str
    licence: str
    checksum: str | None  # of the archive, as pooch writes it
    marker: str  # in the corpus's top folder
    recognises: Callable[[Path], bool]
    folders: Callable[[Path], list[Path]]  # that hold the recordings
    unlisted: re.Pattern | None  # names of published recordings that have no digest


SOURCES = {
    "emodb": Source(
        title="Emo-DB",
        url="http://emodb.bilderbar.info/download/download.zip",
        page="http://emodb.bilderbar.info",
        licence="CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)",
        checksum=None,
        marker="wav",
        recognises=emodb.recognises,
        folders=lambda root: [root / "wav"],
        unlisted=None,
    ),
    "ravdess": Source(
        title="RAVDESS",
        url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        page="https://zenodo.org/records/1188976",
        licence="CC BY-NC-SA 4.0: not for commercial use (https://creativecommons.org/licenses/by-nc-sa/4.0/)",
        # Zenodo's, as several projects that fetched the archive have written it down.
        checksum="md5:bc696df654c87fed845eb13823edef8a",
        marker="Actor_01",
        recognises=ravdess.recognises,
        folders=ravdess.actor_folders,
        unlisted=re.compile(r"03-01-0[2678]-0[12]-0[12]-0[12]-\d\d"),
    ),
    "nemo": Source(
        title="nEMO",
        # The commit that added the recordings; a branch could change.
        url="https://github.com/amu-cai/nEMO/archive/06f1f83dde8f1a780443a57d53b2af3971af34ab.zip",
        page="https://github.com/amu-cai/nEMO",
        licence="CC BY-NC-SA 4.0: not for commercial use (https://creativecommons.org/licenses/by-nc-sa/4.0/)",
        checksum=None,  # GitHub packs its archives anew, and not always the same
        marker="samples",
        recognises=nemo.recognises,
        folders=lambda root: [root / "samples"],
        unlisted=nemo.NAME,
    ),
}


class Unfit(SerError):
    """What was transferred is not the corpus: there is no use in keeping it."""


class Interrupted(Exception):
    """A transfer stopped before its end; worth another attempt."""


def fetch(
    name: str,
    root: str | Path | None = None,
    *,
    agree: Callable[[Source], None],
    url: str | None = None,
    progress: bool = False,
) -> str:
    """Fetch a corpus, unpack it and check its recordings; do nothing if it is there already.

    Args:
        name: one of ``SOURCES``.
        root: the corpus's top folder, to be made; without it, ``$SER_CORPORA/<name>``.
        agree: is shown the source, whose licence it asks for; raises where it is not agreed to.
        url: another address of a zip archive of the corpus.
        progress: show progress bars on stderr.

    Returns:
        What was done and checked, in one line.

    Raises:
        SerError: unknown corpus, no licence, no network, no space, a transfer that breaks off again and again, or an
            archive that is damaged, dangerous or holds something else. Nothing is left that could be taken for the
            corpus.
    """
    source, folder = find_source(name), place(name, root)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        return f"{name} is already there, nothing was fetched: {examine_present(name, folder, progress)} in {folder}"
    agree(source)
    transfers = folder.with_name(f".fetch-{folder.name}")
    found = []

    def fill(aside: Path) -> None:
        unpacked = aside / ".unpacked"
        unpack(archive, unpacked)
        top = top_folder(unpacked, source)
        kept = keep_one_channel(name, top)
        compared = compare(name, top, progress)
        if problems := compared.problems():
            raise Unfit(f"{name}: the archive does not hold the corpus as published: {'; '.join(problems)}")
        found.append(str(compared) + (f"; one of two equal channels kept of {table.listing(kept)}" if kept else ""))
        for entry in list(top.iterdir()):
            entry.rename(aside / entry.name)
        shutil.rmtree(unpacked)

    try:
        archive = transfer(url or source.url, transfers, None if url else source.checksum, progress)
        write_folder(folder, source.marker, fill, f"make room there or pass another root; {archive} is kept")
    except Unfit:
        shutil.rmtree(transfers, ignore_errors=True)
        raise
    shutil.rmtree(transfers, ignore_errors=True)
    return f"{name} fetched: {found[0]} in {folder}"


def find_source(name: str) -> Source:
    """The source of a corpus, or an error that says why there is none."""
    if name == "iemocap":
        raise SerError(
            "iemocap is licensed and cannot be fetched; its owner gives it to researchers on request: "
            "https://sail.usc.edu/iemocap/"
        )
    if name == "synthetic":
        raise SerError("synthetic is not fetched: it is written when first used (python -m ser_lib corpus synthetic)")
    if name not in SOURCES:
        raise SerError(f"corpus {name!r} cannot be fetched{suggestion(name, SOURCES)}")
    return SOURCES[name]


def place(name: str, root: str | Path | None) -> Path:
    """The folder to make: what was given, or the one that the environment variable ``SER_CORPORA`` leads to."""
    if root is not None:
        return Path(root).expanduser().absolute()
    corpora = paths.chosen("SER_CORPORA")
    if corpora is None:
        raise SerError(
            f"{name}: no folder given; pass root (--root) or set the environment variable SER_CORPORA to the folder "
            f"that shall hold {name}/"
        )
    return corpora / name


def examine_present(name: str, folder: Path, progress: bool) -> str:
    """What a folder that exists holds, or an error if it is not the corpus as published."""
    remedy = "move it away to fetch the corpus, or pass another root"
    if not (folder.is_dir() and SOURCES[name].recognises(folder)):
        raise SerError(f"{name}: {folder} is there already and is something else; {remedy}")
    compared = compare(name, folder, progress)
    if problems := compared.problems():
        raise SerError(f"{name}: {folder} is there already, not as published: {'; '.join(problems)}; {remedy}")
    return str(compared)


# Transfer


def transfer(url: str, folder: Path, checksum: str | None, progress: bool) -> Path:
    """Fetch one archive into a folder, going on where an earlier transfer from the same address stopped.

    Args:
        url: address of the archive, http or https.
        folder: where it is kept until it is unpacked.
        checksum: of the whole archive, as pooch writes it, if it is known.
        progress: show a progress bar on stderr.

    Returns:
        The archive.

    Raises:
        SerError: no connection, no such address, no space, or another file than was expected.
    """
    pooch.get_logger().setLevel("WARNING")  # it would print paths and checksums
    name = hashlib.sha256(url.encode()).hexdigest()[:8]  # a transfer from another address is another transfer
    try:
        return Path(
            pooch.retrieve(
                url, checksum, f"{name}.zip", folder, downloader=ResumingDownloader(folder / f"{name}.part", progress)
            )
        )
    except SerError:
        raise
    except requests.RequestException as problem:  # before OSError and ValueError, of which it is a kind
        raise SerError(
            f"{url} is not an address to fetch from ({one_line(problem)}); pass another with --url"
        ) from problem
    except ValueError as problem:
        raise Unfit(
            f"{url} gave other bytes than were published ({one_line(problem)}); run the same command again, or pass an "
            f"address with --url, whose recordings alone are compared"
        ) from problem
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SerError(
                f"no space left for the archive in {folder}; make room there and run the same command again, which "
                f"goes on where this one stopped"
            ) from problem
        raise SerError(
            f"{folder} could not be written: {problem.strerror or one_line(problem)}; pass another root"
        ) from problem


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader for :func:`pooch.retrieve` that tries again and goes on where the transfer stopped (HTTP Range).

    pooch's own starts from nothing each time. A server that does not know Range, or whose file has changed, sends the
    whole file, and so the transfer starts again.
    """

    part: Path  # what has arrived so far; beside it, the validator that names the version it is of
    progress: bool = False

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                self.receive(url)
                break
            except (
                Interrupted,
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as problem:
                last = problem
        else:
            raise SerError(self.broken(url, last))
        self.part.replace(output_file)
        self.validator.unlink(missing_ok=True)

    @property
    def validator(self) -> Path:
        return self.part.with_suffix(".version")

    def receive(self, url: str) -> None:
        """Append what is still missing to the part."""
        start = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.validator.exists():
                headers["If-Range"] = self.validator.read_text()
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416:  # there is nothing after what has arrived
                if response.headers.get("Content-Range") == f"bytes */{start}":
                    return
                self.part.unlink()
                raise Interrupted("what had arrived is of another file")
            refuse_status(response)
            if response.status_code != 206:  # the whole file
                start = 0
                self.part.unlink(missing_ok=True)  # before its version changes: no room may be left for the new one
                self.remember_version(response)
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                self.part.unlink()
                raise Interrupted("the server sent another range than was asked for")
            length = response.headers.get("Content-Length")
            total = None if length is None else start + int(length)
            if total is not None:
                check_space(self.part.parent, total - start, "the archive")
            with (
                open(self.part, "ab" if start else "wb") as file,
                tqdm(
                    desc="fetching", total=total, initial=start, unit="B", unit_scale=True, leave=False,
                    disable=None if self.progress else True,
                ) as bar,
            ):  # fmt: skip
                for block in response.iter_content(BLOCK):
                    file.write(block)
                    bar.update(len(block))
        size = self.part.stat().st_size
        if total is not None and size != total:
            raise Interrupted(f"{size} of {total} bytes arrived")

    def remember_version(self, response: requests.Response) -> None:
        """Keep what the server names this version of the file by; a weak tag cannot be used with Range."""
        version = response.headers.get("ETag", "W/")
        if version.startswith("W/"):
            version = response.headers.get("Last-Modified", "")
        if version:
            self.validator.write_text(version)
        else:
            self.validator.unlink(missing_ok=True)

    def broken(self, url: str, problem: Exception) -> str:
        """What went wrong at the last attempt, and what to do."""
        host, size = urlsplit(url).hostname, self.part.stat().st_size if self.part.exists() else 0
        if not size:
            refusal = f" ({problem})" if isinstance(problem, Interrupted) else ""
            return f"no connection to {host} in {ATTEMPTS} attempts{refusal}; check the network, or pass another --url"
        return (
            f"the transfer from {host} was interrupted {ATTEMPTS} times, {size} bytes have arrived; run the same "
            f"command again, which goes on where this one stopped"
        )


def refuse_status(response: requests.Response) -> None:
    """Raise if the server sent something else than the file."""
    if response.status_code in BUSY:
        raise Interrupted(f"the server answered {response.status_code} {response.reason}")
    if not response.ok:
        raise SerError(
            f"{response.url} was not found ({response.status_code} {response.reason}); look for the archive's address "
            f"on the publisher's page and pass it with --url"
        )


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise if a folder's disk has not the bytes that are needed."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SerError(
            f"no space for {what} in {folder}: {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free; make "
            f"room there or pass another root"
        )


# Unpacking


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into a new folder, having looked at every entry first.

    Raises:
        Unfit: the archive is damaged or no zip archive; an entry is a link or leads out of the folder; or it is larger
            unpacked than any of the corpora.
        SerError: there is no space for it.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as file:
            entries = file.infolist()
            check_entries(entries)
            check_space(folder, sum(entry.file_size for entry in entries), "the unpacked corpus")
            for entry in entries:
                file.extract(entry, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as problem:  # the last: a password, unknown packing
        raise Unfit(
            f"the archive is truncated, damaged or not a zip archive ({one_line(problem)}); run the same command "
            f"again, and if it is the same, pass another address with --url"
        ) from problem


def check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that would write outside its folder or fill the disk, before anything is written.

    zipfile itself would mend such names and go on, and then the files would not be where their names say.
    """
    for entry in entries:
        path = PureWindowsPath(entry.filename)  # knows both slashes, and drives
        if path.drive or path.root or ".." in path.parts:
            raise Unfit(f"the archive is not safe: its entry {entry.filename!r} leads out of its folder")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unfit(f"the archive is not safe: its entry {entry.filename!r} is a link")
    size = sum(entry.file_size for entry in entries)
    if size > LARGEST or len(entries) > MOST_ENTRIES:
        raise Unfit(
            f"the archive is not safe: {len(entries)} entries of {size / 1e6:.0f} MB unpacked, where at most "
            f"{MOST_ENTRIES} of {LARGEST / 1e6:.0f} MB are expected"
        )


def top_folder(unpacked: Path, source: Source) -> Path:
    """The corpus's top folder, at the archive's top or in a folder there (as GitHub packs)."""
    for folder in (unpacked, *table.subfolders(unpacked)):
        if source.recognises(folder):
            return folder
    raise Unfit(f"the archive holds something else than {source.title}; pass another address with --url")


# Comparison of the decoded audio


@dataclass
class Comparison:
    """How the recordings in a folder compare with the digests, by name without suffix."""

    same: int = 0  # every sample
    alike: int = 0  # at another rate: length and envelope
    unchecked: int = 0  # published, but without a digest
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """What is wrong, the first few names of each kind and how many there are; empty if nothing is."""
        kinds = {"missing": self.missing, "not of the corpus": self.extra, "different": self.different}
        return [f"{len(names)} {kind} ({table.listing(names)})" for kind, names in kinds.items() if names]

    def __str__(self) -> str:
        counts = {
            f"{self.same} recordings the same sample by sample": self.same,
            f"{self.alike} alike in length and envelope (their digests are of copies at another rate)": self.alike,
            f"{self.unchecked} not checked (no digest)": self.unchecked,
        }
        return ", ".join(text for text, number in counts.items() if number)


def compare(name: str, root: Path, progress: bool = False) -> Comparison:
    """Compare the recordings of a corpus, decoded, with the digests of ``corpora/digests``.

    Args:
        name: the corpus.
        root: its top folder.
        progress: show a progress bar on stderr.
    """
    source, expected = SOURCES[name], digests(name)
    result = Comparison()
    files = recordings(source, root, result.extra)
    result.missing += [utterance for utterance in expected.index if utterance not in files]
    for utterance, path in table.with_progress(list(files.items()), f"checking {name}", progress):
        if utterance in expected.index:
            difference, exact = compare_one(path, expected.loc[utterance])
            if difference:
                result.different.append(f"{path.name}: {difference}")
            elif exact:
                result.same += 1
            else:
                result.alike += 1
        elif source.unlisted and source.unlisted.fullmatch(utterance):
            result.unchecked += 1
        else:
            result.extra.append(path.name)
    return result


def compare_one(path: Path, digest: pandas.Series) -> tuple[str | None, bool]:
    """How one recording differs from its digest (None if it does not), and whether all its samples were compared."""
    try:
        samples, rate = decode(path)
    except soundfile.SoundFileError as problem:
        return one_line(problem), False
    if samples.shape[1] != 1:
        return f"{samples.shape[1]} channels", False
    if rate == digest["rate"]:
        if len(samples) != digest["frames"]:
            return f"{len(samples)} samples where {digest['frames']} were published", True
        return (None if sha256(samples) == digest["sha256"] else "other samples"), True
    found, frames = (
        audio.length_at_16_khz(*each) for each in ((len(samples), rate), (digest["frames"], digest["rate"]))
    )
    if abs(found - frames) > LENGTH_TOLERANCE:
        return f"{found} samples at 16 kHz where {frames} are expected", False
    distance = numpy.abs(envelope(samples, rate).astype(int) - list(bytes.fromhex(digest["envelope"]))).max()
    return (None if distance <= ENVELOPE_TOLERANCE else "another envelope"), False


def describe(name: str, root: str | Path) -> pandas.DataFrame:
    """The digests of a corpus's recordings; the committed ones are
    ``describe(name, root).to_csv(DIGESTS / f"{name}.csv", lineterminator="\\n")``.

    Args:
        name: the corpus.
        root: its top folder.

    Returns:
        Index ``utterance`` (file name without suffix), sorted. Columns ``rate`` (Hz), ``frames`` (samples), ``sha256``
        (of the samples as 16-bit integers, low byte first) and ``envelope`` (:func:`envelope`, in hexadecimal).
    """
    rows = []
    for utterance, path in recordings(SOURCES[name], Path(root), []).items():
        samples, rate = decode(path)
        rows.append((utterance, rate, len(samples), sha256(samples), envelope(samples, rate).tobytes().hex()))
    columns = ["utterance", "rate", "frames", "sha256", "envelope"]
    return pandas.DataFrame(rows, columns=columns).set_index("utterance").sort_index()


def digests(name: str) -> pandas.DataFrame:
    """The committed digests of a corpus, in the form of :func:`describe`."""
    text = dict.fromkeys(["utterance", "sha256", "envelope"], str)  # digits alone are no number here
    return pandas.read_csv(DIGESTS / f"{name}.csv", dtype=text).set_index("utterance")


def recordings(source: Source, root: Path, extra: list[str]) -> dict[str, Path]:
    """Every recording of a corpus by its name without suffix; one that is there twice is added to ``extra``."""
    files = {}
    for folder in source.folders(root):
        for name, path in table.audio_files(folder, extra).items():
            if name in files:
                extra.append(f"{path.relative_to(root)} beside {files[name].relative_to(root)}")
            files[name] = path
    return files


def decode(path: Path) -> tuple[numpy.ndarray, int]:
    """Samples, int16 of shape ``(n, channels)``, and the sampling rate in Hz."""
    return soundfile.read(path, dtype="int16", always_2d=True)


def sha256(samples: numpy.ndarray) -> str:
    """Digest of integer samples, the same on every machine."""
    return hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()


def envelope(samples: numpy.ndarray, rate: int) -> numpy.ndarray:
    """How the level of a recording changes: what resampling it, or another gain, leaves as it is.

    Args:
        samples: of shape ``(n, 1)``.
        rate: in Hz.

    Returns:
        Root mean square below 4 kHz of ``PARTS`` equal parts, the loudest being 255; uint8 of shape ``(PARTS,)``.
    """
    common = math.gcd(ENVELOPE_RATE, rate)
    low = resample_poly(samples[:, 0].astype(float), ENVELOPE_RATE // common, rate // common)
    levels = numpy.sqrt([numpy.mean(part**2) if len(part) else 0.0 for part in numpy.array_split(low, PARTS)])
    return numpy.round(255 * levels / max(levels.max(), 1e-9)).astype(numpy.uint8)


def keep_one_channel(name: str, root: Path) -> list[str]:
    """Rewrite the listed recordings that hold one channel twice with that channel alone; nothing is lost.

    Users of RAVDESS report a few such files, one of them of the four emotions (Actor_20/03-01-03-01-02-01-20); the
    loaders read one channel only.

    Returns:
        The names of the files that were rewritten.
    """
    expected, rewritten = digests(name).index, []
    for utterance, path in recordings(SOURCES[name], root, []).items():
        if utterance not in expected:
            continue
        try:
            if soundfile.info(path).channels == 1:
                continue
            samples, rate = decode(path)
        except soundfile.SoundFileError:  # the comparison names it
            continue
        if (samples == samples[:, :1]).all():
            soundfile.write(path, samples[:, 0], rate, subtype="PCM_16")
            rewritten.append(path.name)
    return rewritten


def one_line(problem: Exception) -> str:
    """An error's message without line breaks."""
    return " ".join(str(problem).split())
