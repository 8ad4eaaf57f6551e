"""What the params of data:parse and data:format have in common."""

from __future__ import annotations

from gxo.modules.fault import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def check_own(params: Mapping[str, Any], own: Mapping[str, Sequence[str]]) -> None:
    """ModuleError for a param that is another format's; `own` are those of one format alone."""
    for form, names in own.items():
        for name in names:
            if form != params["format"] and params[name] is not None:
                raise ModuleError(f"`{name}` goes with `format: {form}`")


def csv_delimiter(written: str | None) -> str:
    """What stands between two columns, by default a comma."""
    delimiter = written or ","
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ModuleError("`delimiter` must be one character, neither a quote nor a line break")
    return delimiter
