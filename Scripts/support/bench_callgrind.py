"""Counts instructions and allocations of an operation by callgrind."""

import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"}


class Count:
    """What something costs."""

    def __init__(self, instructions, allocations):
        self.instructions = instructions
        self.allocations = allocations

    def __sub__(self, other):
        return Count(self.instructions - other.instructions, self.allocations - other.allocations)

    def __truediv__(self, number):
        # An allocation more or less in all, such as that of a thread, is none of one operation's.
        return Count(self.instructions / number, round(self.allocations / number, 2) + 0.0)


def allocations(profile):
    """The calls of an allocating function by one that is none, in a file of callgrind."""
    total = 0
    caller = callee = ""
    for line in profile:
        if line.startswith("fn="):
            caller = line[3:].strip()
        elif line.startswith("cfn="):
            callee = line[4:].strip()
        elif line.startswith("calls=") and callee in ALLOCATORS and caller not in ALLOCATORS:
            total += int(line[6:].split()[0])
    return total


def run(command):
    """What a whole process costs."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as output:
        callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output.name}"]
        # Names in full, and no random seed in the hashing.
        callgrind += ["--compress-strings=no", "--compress-pos=no"]
        environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"}
        done = subprocess.run([*callgrind, *command], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            raise SystemExit(f"error: {' '.join(command)}: {done.stdout}{done.stderr}")
        total = re.search(r"Collected : (\d+)", done.stderr)
        return Count(int(total.group(1)), allocations(output))


def operation(costs, name, times=10_000):
    """What one operation costs: two run lengths subtracted, so that what is done once does not count."""
    few = times // 10
    return (run([costs, name, str(few + times)]) - run([costs, name, str(few)])) / times


def operations(costs, names, times=10_000):
    """What each of them costs, by name."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(zip(names, pool.map(lambda name: operation(costs, name, times), names)))
