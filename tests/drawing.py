"""Random instances of data classes, for property tests."""

from typing import Any, TypeVar, get_type_hints

from hypothesis import strategies as st

from gxo.dataclass import fields

T = TypeVar("T")


def any_of(cls: type[T], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Any instance that the types of its fields allow, some of them drawn as given."""
    hints = get_type_hints(cls)
    rest = {
        entry.name: st.from_type(hints[entry.name])
        for entry in fields(cls)  # type: ignore[arg-type]
        if entry.name not in given
    }
    return st.builds(cls, **rest, **given)
