"""What the benchmarks share: time, processor time and memory of a piece of work."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of processors; bytes of memory at the peak."""

    wall: float
    cpu: float
    peak: int


MEASURED = """
import json, resource, time
begin, cpu = time.perf_counter(), time.process_time()
work()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
helped = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
print(json.dumps([time.perf_counter() - begin, time.process_time() - cpu + helped, peak]))
"""


def in_process(code: str, *arguments: object) -> Cost:
    """What calling `work`, which the code defines, costs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code + MEASURED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return Cost(*json.loads(done.stdout))


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def processor_time(group: int) -> float:
    """Seconds that the processes of a group have used so far."""
    return sum(sum(map(int, stat[11:15])) for stat in _stats(group)) / TICKS


def peak_memory(group: int) -> int:
    """Bytes that the largest process of a group has had at most."""
    return max(map(_peak, (int(stat[-1]) for stat in _stats(group))), default=0)


def _stats(group: int) -> list[list[str]]:
    """The fields of /proc/PID/stat behind the name, and the PID, of each process of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            found.append([*fields, path.parent.name])
    return found


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        int(statistics.median(cost.peak for cost in costs)),
    )


def machine() -> str:
    """What was measured on, for the table's caption."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line),
        "?",
    )
    return f"{os.cpu_count()} processors, {model}; Python {sys.version.split()[0]}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
