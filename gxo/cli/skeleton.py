"""Skeleton: a module from outside the library that works, to go on from."""

import re
from pathlib import Path

from gxo.cli.exits import Failure, Usage
from gxo.outside.tree import DESCRIPTION
from gxo.spec.library import NAMESPACES
from gxo.spec.outside import MODULE_NAME

_DESCRIPTION = """\
name: {name}
doc: Greets somebody.
entry: main.py
params:
  who: {{type: text, doc: Whom to greet., required: true, example: world}}
  times: {{type: int, doc: How often., default: 1, low: 1, high: 100}}
summary:
  greeting: {{type: string, doc: What was said.}}
"""
_PROGRAM = '''\
"""What `{name}` does: a request on standard input, an answer on standard output, both JSON."""

import json
import sys


def greet(who: str, times: int) -> str:
    return ", ".join(["hello " + who] * times)


request = json.load(sys.stdin)
params = request["params"]
print("this goes to the journal", file=sys.stderr)
if params["who"] == "nobody":
    json.dump({{"error": "there is nobody to greet"}}, sys.stdout)
    sys.exit(1)
json.dump({{"summary": {{"greeting": greet(params["who"], params["times"])}}}}, sys.stdout)
'''


def write(name: str, directory: Path) -> tuple[Path, ...]:
    """Write the files of a new module; their paths. Raises Usage, Failure."""
    if not re.fullmatch(MODULE_NAME, name):
        raise Usage(
            f"`{name}` cannot be a module's name: it is made of a namespace, `:` and a name, of"
            " small letters, digits, `_` and `-`, such as acme:report"
        )
    if name.split(":", maxsplit=1)[0] in NAMESPACES:
        raise Usage(f"`{name}` cannot be a module's name: its namespace belongs to the library")
    files = {DESCRIPTION: _DESCRIPTION, "main.py": _PROGRAM}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise Failure(f"cannot make a module in {directory}: there is something in it")
        for file, text in files.items():
            (directory / file).write_text(text.format(name=name), encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot make a module in {directory}: {error.strerror}") from None
    return tuple(directory / file for file in files)
