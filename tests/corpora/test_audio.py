"""Reading one recording, and every way in which it can be unfit."""

import numpy
import pytest
import soundfile

from ser_lib import audio
from ser_lib.errors import SerError


def test_wav_and_flac_decode_to_the_same_float32(files, tmp_path):
    wav, flac = files.audio(tmp_path / "a.wav"), files.audio(tmp_path / "a.flac")
    samples, rate = audio.read(wav)
    assert rate == 16_000 and samples.dtype == numpy.float32 and samples.shape == (1600,)
    assert numpy.array_equal(samples, audio.read(flac)[0])


def test_at_16_khz_nothing_is_resampled(files, tmp_path):
    path = files.audio(tmp_path / "a.wav")
    assert numpy.array_equal(audio.load(path), audio.read(path)[0])


@pytest.mark.parametrize("rate", [8000, 24_000, 44_100, 48_000])
def test_other_rates_are_resampled_to_16_khz(tmp_path, rate):
    time = numpy.arange(rate) / rate
    soundfile.write(tmp_path / "tone.wav", 0.5 * numpy.sin(2 * numpy.pi * 1000 * time), rate, subtype="FLOAT")
    samples = audio.load(tmp_path / "tone.wav")
    wanted = 0.5 * numpy.sin(2 * numpy.pi * 1000 * numpy.arange(16_000) / 16_000)
    assert samples.dtype == numpy.float32 and samples.shape == (audio.length_at_16_khz(rate, rate),)
    assert numpy.abs(samples - wanted)[200:-200].max() < 0.01


def test_torchaudio_works_without_its_compiled_extension():
    import torch

    transforms = audio.torchaudio_module().transforms
    assert transforms.Spectrogram(n_fft=1024, hop_length=512, center=False)(torch.zeros(2048)).shape == (513, 3)


def refused(path, *words):
    with pytest.raises(SerError) as caught:
        audio.read(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_missing(tmp_path):
    refused(tmp_path / "none.wav", "no such file", "copy it again")


def test_empty(tmp_path):
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "empty", "copy it again")


@pytest.mark.parametrize("kept", [10, 30, 44, 1000, -2])
def test_truncated_wav(files, tmp_path, kept):
    path = files.audio(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, "truncated", "copy it again")


def test_wav_with_further_chunks_is_not_truncated(files, tmp_path):
    path = files.audio(tmp_path / "a.wav")
    content = path.read_bytes()
    path.write_bytes(content[:36] + b"note\x03\x00\x00\x00abc\x00" + content[36:] + b"LIST\x04\x00\x00\x00abcd")
    assert len(audio.read(path)[0]) == 1600


def test_truncated_flac(files, tmp_path):
    path = files.audio(tmp_path / "a.flac", samples=16_000)
    path.write_bytes(path.read_bytes()[:9000])
    refused(path, "copy it again")


def test_not_audio(tmp_path):
    (tmp_path / "a.wav").write_text("these are not samples " * 200)
    refused(tmp_path / "a.wav", "cannot be read", "copy it again")


def test_stereo_even_when_both_channels_are_the_same(tmp_path):
    one = numpy.random.default_rng(0).uniform(-0.5, 0.5, 2000)
    soundfile.write(tmp_path / "a.wav", numpy.stack([one, one], axis=1), 16_000)
    refused(tmp_path / "a.wav", "2 channels", "sox a.wav -c 1")


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf, -numpy.inf])
def test_not_finite(tmp_path, value):
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 2000)
    samples[1500] = value
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "not finite", "copy it again")


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_silent(tmp_path, value):
    soundfile.write(tmp_path / "a.wav", numpy.full(2000, value), 16_000)
    refused(tmp_path / "a.wav", "silent", "copy it again")


def test_very_quiet_is_not_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", numpy.array([0, 1] * 1000, dtype=numpy.int16), 16_000)
    assert audio.read(tmp_path / "a.wav")[0].max() < 1e-4


@pytest.mark.parametrize("samples, rate", [(1023, 16_000), (3069, 48_000), (511, 8000)])
def test_shorter_than_one_window_at_16_khz(files, tmp_path, samples, rate):
    path = files.audio(tmp_path / "a.wav", samples, rate)
    refused(path, "shorter than one analysis window", "copy it again")


@pytest.mark.parametrize("samples, rate", [(1024, 16_000), (3072, 48_000), (512, 8000)])
def test_one_window_is_enough(files, tmp_path, samples, rate):
    assert len(audio.load(files.audio(tmp_path / "a.wav", samples, rate))) == 1024
