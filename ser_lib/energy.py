"""Energy that a processor or a GPU used, where the machine lets it be read.

Linux counts the energy of a processor in ``/sys/class/powercap``, which most systems let only root read; NVML counts
that of a GPU of NVIDIA, and is asked where the package nvidia-ml-py is installed. The counter is that of the whole
package or card: whatever else runs there meanwhile is in it, and of runs made side by side each counts all of it.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import torch

POWERCAP = Path("/sys/class/powercap")

INTERVAL = 60.0
"""Seconds between readings: under full load, a processor's counter may start again from zero within minutes."""


@dataclass(frozen=True)
class Counter:
    """A counter of energy.

    Attributes:
        value: its present value in joules.
        range: the value at which it starts again from zero, joules.
        problem: what ``value`` raises where the counter cannot be read.
    """

    value: Callable[[], float]
    range: float = math.inf
    problem: type[Exception] = OSError

    def read(self) -> float:
        """Its present value in joules; NaN if it cannot be read."""
        try:
            return self.value()
        except self.problem:
            return math.nan


class Meter:
    """Adds up what some counters count within a ``with`` block.

    Args:
        counters: see :func:`counters_of`.
        interval: seconds from one reading to the next; a counter may start again from zero once in between.

    Attributes:
        joules: their sum once the block is left; None if there is no counter, or one could not be read.
    """

    def __init__(self, counters: Sequence[Counter], interval: float = INTERVAL) -> None:
        self.joules: float | None = None
        self._counters = counters
        self._interval = interval
        self._left = threading.Event()
        self._reader = threading.Thread(target=self._read_on, daemon=True)

    def __enter__(self) -> "Meter":
        self._used = 0.0
        self._values = [counter.read() for counter in self._counters]
        self._reader.start()
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._left.set()
        self._reader.join()
        self._add()
        self.joules = self._used if self._counters and not math.isnan(self._used) else None

    def _read_on(self) -> None:
        while not self._left.wait(self._interval):
            self._add()

    def _add(self) -> None:
        """Add what was used since the last reading; a counter that was NaN once makes the sum NaN."""
        before, self._values = self._values, [counter.read() for counter in self._counters]
        for counter, last, now in zip(self._counters, before, self._values, strict=True):
            self._used += (now - last) % counter.range


def counters_of(device: str) -> list[Counter]:
    """The counters of a torch device: the GPU's own, or else the processors'; none if they cannot be read."""
    return gpu(device) if device.startswith("cuda") else processors()


def processors(folder: Path = POWERCAP) -> list[Counter]:
    """One counter per processor package; none if one of them cannot be read, as the others' sum would be too small."""
    counters = []
    try:
        for zone in sorted(folder.glob("intel-rapl:*")):  # the name on AMD's processors, too
            # intel-rapl:0:1 is a part of a package, and in its counter; psys counts all packages once more.
            if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):
                counters.append(Counter(partial(_joules, zone / "energy_uj"), _joules(zone / "max_energy_range_uj")))
    except OSError:
        return []
    return _if_all_can_be_read(counters)


def gpu(device: str) -> list[Counter]:
    """The counter of a GPU of NVIDIA; none without the package nvidia-ml-py, or where the GPU has no counter.

    Args:
        device: a torch device, such as ``cuda`` or ``cuda:1``.
    """
    try:
        import pynvml
    except ImportError:
        return []
    # By UUID: CUDA_VISIBLE_DEVICES renumbers PyTorch's devices, and not NVML's.
    uuid = str(torch.cuda.get_device_properties(device).uuid).removeprefix("GPU-")
    try:
        pynvml.nvmlInit()
        card = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except pynvml.NVMLError:
        return []
    counter = Counter(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(card) / 1e3, problem=pynvml.NVMLError)
    return _if_all_can_be_read([counter])


def _if_all_can_be_read(counters: list[Counter]) -> list[Counter]:
    return [] if any(math.isnan(counter.read()) for counter in counters) else counters


def _joules(file: Path) -> float:
    """What a file of powercap holds; it is in microjoules."""
    return int(file.read_text()) / 1e6
