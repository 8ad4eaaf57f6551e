"""docs/reference/config.md, from the table of keys."""

from collections.abc import Iterator

from gxo.config.read import PLACE
from gxo.config.table import MODULES, PROVIDERS, SECRETS, TOP, Key


def markdown() -> str:
    """The reference page of the configuration."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The configuration\n"
    yield "<!-- generated from gxo/config/table.py by `./dev test --accept` -->\n"
    yield (
        f"`{PLACE}`, or the file that `GXO_CONFIG` names; YAML, one document of plain data without"
        " anchors and tags. Every part of it is optional, and so is the file. Each command and each"
        " run that needs it reads it afresh, and every problem is reported with its place.\n"
    )
    yield from _table(TOP)
    yield "## `secrets`\n"
    yield from _table(SECRETS)
    for name, (doc, keys) in PROVIDERS.items():
        yield f"### A provider of type `{name}`\n"
        yield f"{doc}\n"
        if keys:
            yield from _table(keys)
    yield "## `modules`\n"
    yield from _table(MODULES)


def _table(keys: tuple[Key, ...]) -> Iterator[str]:
    yield "| key | takes | default | meaning | example |"
    yield "| --- | --- | --- | --- | --- |"
    for key in keys:
        default = "required" if key.default is None else f"`{key.default}`"
        yield f"| `{key.name}` | {key.takes} | {default} | {key.doc} | `{key.example}` |"
    yield ""
