"""Fuzz templates: `fuzz_template.py [SECONDS]`, guided by atheris where it is installed.

Holds for any text: the parser never raises and marks places within the text; evaluation ends in
data or in a Fault, soon; each problem can be drawn; and what a text is as a pattern or as YAML is
told by a Failure at worst. A text that breaks this ends the run, and so does one that takes for
ever.
"""

import random
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
try:
    import atheris  # type: ignore[import-untyped]
except ImportError:
    atheris = None

# all that is to guide the fuzzer is imported here, also what gxo itself imports late
with atheris.instrument_imports(include=["gxo"]) if atheris else nullcontext():
    import gxo.language.template_errors
    import gxo.template.times  # noqa: F401
    from gxo.diagnostic import render
    from gxo.template.data import weigh
    from gxo.template.evaluate import evaluate
    from gxo.template.fault import Failure, Fault, TooMuch
    from gxo.template.functions import FUNCTIONS
    from gxo.template.limits import Limits
    from gxo.template.names import references, secrets
    from gxo.template.regex import matches, replace
    from gxo.template.yaml_text import load
    from tests.unit.template_support import parsed, scope

LIMITS = Limits(steps=5_000, size=20_000, depth=30, search=20_000)
SLOWEST = 5.0
HANGS = 30
"""Seconds after which a text is taken to run for ever."""
SPELT = """{{ }} {{- -}} ( ) | || && == != < <= > >= ! = := , . $ $x $y /* */ " ' ` \\ [ ] 0 1 -1
  2.5 .name .n .list .map .deep.one .reg.stdout .nothing ._gxo.run.id if else end range with break
  continue true false nil $x := "a" `b` 'c' "%5d" "(a+)+" "2006" "[1,2]" "{a: b}" """
WORDS = [*SPELT.split(), *FUNCTIONS]


def check(text: str) -> None:
    """All that holds for a text; AssertionError, or what was raised, where it does not."""
    start = time.monotonic()
    value, problems = parsed(text)
    for problem in problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text), problem
        assert render(problem)
    references(value)
    secrets(value)
    try:
        weigh(evaluate(value, scope(LIMITS)), Limits(depth=60, size=10**7))
    except Fault as fault:
        assert render(fault.problem)
    for function in (_as_pattern, _as_yaml):
        try:
            function(text)
        except (Failure, TooMuch) as refusal:
            assert str(refusal)
    assert time.monotonic() - start < SLOWEST, "too slow"


def _as_pattern(text: str) -> None:
    """The text as pattern, as replacement, and as what is searched."""
    matches(LIMITS, text, text * 3)
    half = len(text) // 2
    replace(LIMITS, text[:half], text[half:], text * 3)


def _as_yaml(text: str) -> None:
    load(text, LIMITS)


def one_input(data: bytes) -> None:
    """Some inputs are read as text, others as a choice of words, which reach deeper."""
    if data[:1] < b"\x60":
        check(data[1:].decode("utf-8", "replace"))
    else:
        glue = " " if data[0] % 2 else ""
        words = glue.join(WORDS[byte % len(WORDS)] for byte in data[1:])
        check(words if data[0] % 3 else "{{ " + words + " }}")


def corpus() -> list[bytes]:
    """Every template of the tests."""
    texts = ["0" + function.example[0] for function in FUNCTIONS.values()]
    errors = Path(__file__).parent.parent / "tests/unit/template_errors.txt"
    cases = errors.read_text(encoding="utf-8").split("=" * 20 + "\n")[1:]
    texts += ["0" + case.split("\n" + "-" * 20)[0] for case in cases]
    return [text.encode() for text in texts]


def unguided(seconds: float) -> None:
    """Random changes of the corpus, for hosts without atheris."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    seeds = corpus()
    end = time.monotonic() + seconds
    count = 0
    signal.signal(signal.SIGALRM, _hangs)
    while time.monotonic() < end:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(8)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randrange(3)] = chance.choice(seeds)[: chance.randrange(12)]
            if data and chance.random() < 0.5:
                data[chance.randrange(len(data))] = chance.randrange(256)
        signal.alarm(HANGS)
        try:
            one_input(bytes(data))
        except BaseException:
            print(f"input {bytes(data)!r}", file=sys.stderr)
            raise
        count += 1
    signal.alarm(0)
    print(f"{count} templates, no failure")


def _hangs(*_: object) -> None:
    raise TimeoutError(f"no end after {HANGS} s")


def main(seconds: float) -> None:
    if atheris is None:
        unguided(seconds)
        return
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus()):
            (Path(folder) / str(number)).write_bytes(data)
        options = [f"-max_total_time={int(seconds)}", "-max_len=400", "-rss_limit_mb=1024"]
        options += [f"-timeout={HANGS}", "-verbosity=0", "-print_final_stats=1"]
        artifacts = f"-artifact_prefix={tempfile.gettempdir()}/gxo-fuzz-"
        atheris.Setup([sys.argv[0], *options, artifacts, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 600)
