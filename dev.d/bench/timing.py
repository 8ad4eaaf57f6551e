"""Timing side by side: two jobs in turn, A B A B …, and the ratio pair by pair."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

Job = Callable[[], float]
"""Does the work once; the seconds it took."""


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison; `bound` is the ratio it is meant to stay within, None where it is a scale."""

    name: str
    ours: float
    theirs: float
    ratio: float
    spread: tuple[float, float]
    bound: float | None
    unit: Literal["ms", "MB"] = "ms"

    @property
    def over(self) -> bool:
        return self.bound is not None and self.ratio > self.bound

    def __str__(self) -> str:
        low, high = self.spread
        verdict = f"{'OVER' if self.over else 'within'} {self.bound:g}x" if self.bound else ""
        ours, theirs = (_UNITS[self.unit] * value for value in (self.ours, self.theirs))
        return (
            f"{self.name:<58} {ours:9.1f} {self.unit} {theirs:9.1f} {self.unit}"
            f"  {self.ratio:6.2f}x ({low:.2f}-{high:.2f})  {verdict}"
        ).rstrip()


_UNITS = {"ms": 1e3, "MB": 2**-20}


def compare(name: str, ours: Job, theirs: Job, bound: float | None, *, pairs: int = 7) -> Result:
    """Warm both up, then time them in turn: noise that drifts hits both alike."""
    ours(), theirs()
    timed = [(ours(), theirs()) for _ in range(pairs)]
    ratios = sorted(a / b for a, b in timed)
    return Result(
        name,
        median(a for a, _ in timed),
        median(b for _, b in timed),
        median(ratios),
        (ratios[0], ratios[-1]),
        bound,
    )


def command(argv: Sequence[str | Path], **options: object) -> Job:
    """A whole process from start to exit; it must succeed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def run() -> float:
        began = time.perf_counter()
        done = subprocess.run(argv, capture_output=True, env=env, check=False, **options)  # type: ignore[call-overload]
        took = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{argv[0]} failed: {done.stderr.decode(errors='replace')}")
        return took

    return run


def call(work: Callable[[], object]) -> Job:
    """A function within this process."""

    def run() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return run
