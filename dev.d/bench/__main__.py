"""`./dev bench [NAME…]`: ratios against named alternatives, timed in one run."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import against_bus
import against_directives
import against_re
import against_runs
import against_streams
import against_tools
from timing import Result

from gxo.cli.main import SELDOM

BENCHES: dict[str, Callable[[], Iterator[Result]]] = {
    "validate": against_tools.validate,
    "compile": against_tools.compile_in_process,
    "quadlet": against_tools.compile_against_quadlet,
    "apply": against_bus.first_apply,
    "noop": against_bus.no_op_apply,
    "chain": against_runs.chain,
    "sandbox": against_runs.sandboxed,
    "profile": against_directives.profile,
    "wide": against_runs.wide,
    "scale": against_runs.scale,
    "cold": against_runs.cold,
    "memory": against_runs.memory,
    "pipe": against_streams.pipe,
    "fanout": against_streams.fanout,
    "records": against_streams.records,
    "redactor": against_re.redactor,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]}; there are: {' '.join(BENCHES)}\n")
        return 64
    gc.set_threshold(*SELDOM)  # as the command itself does
    print(f"{'':<58} {'gxo':>12} {'other':>12}  ratio (lowest-highest)")
    over = 0
    for name in names or BENCHES:
        for result in BENCHES[name]():
            print(result, flush=True)
            over += result.over
    return 1 if over else 0


sys.exit(main(sys.argv[1:]))
