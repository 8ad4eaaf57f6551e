"""JSON that commands print: it is read by programs, and seen on terminals."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unicodedata import category

import pytest

from gxo.cli.output import emit, emit_line

EVERY = " ".join(map(chr, range(sys.maxunicode + 1)))


def test_text_of_others_drives_no_terminal() -> None:
    """What a step wrote comes back as it was, and no character of it does more than be seen."""
    document: dict[str, object] = {"message": EVERY, "keys": {"\x9b2J": "\x7f"}}
    for put in (emit, emit_line):
        with redirect_stdout(io.StringIO()) as out:
            put(document)
        said = out.getvalue()
        assert json.loads(said) == {"version": 1, **document}
        assert {c for c in said if category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} == {"\n"}
        said.encode()  # half a character of UTF-16 could not be written


def test_an_event_is_a_line_for_every_reader() -> None:
    """Also for one that takes U+2028 or U+0085 for the end of a line, as Python's splitlines."""
    with redirect_stdout(io.StringIO()) as out:
        emit_line({"detail": 'x\u2028{"version": 1, "event": "run"}\x85\x1c\r\n\u2029y'})
    assert len(out.getvalue().splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_text_that_an_encoding_lacks(tmp_path: Path, encoding: str) -> None:
    """On a terminal of another encoding text of others is shown with escapes, and JSON is JSON."""
    path = tmp_path / "x.yaml"
    path.write_text(
        "workloads:\n- {name: a, lifecycle: {policy: supervise},"
        " process: {module: exec, params: {command: echo, args: ['é ✓ 😀']}}}\n"
    )
    argv = [sys.executable, "-m", "gxo", "compile", "--systemd", "252", str(path)]
    env = {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(argv, env=env, capture_output=True, check=True)
    first = b"\xe9" if encoding == "latin-1" else b"\\xe9"
    assert first + b" \\u2713 \\U0001f600" in done.stdout
    done = subprocess.run([*argv, "--json"], env=env, capture_output=True, check=True)
    assert "é ✓ 😀" in json.loads(done.stdout.decode("ascii"))["units"][0]["text"]
