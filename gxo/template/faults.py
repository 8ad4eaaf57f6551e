"""The problems of an evaluation; their classes are loaded only where there is one."""

from collections.abc import Mapping

from gxo.diagnostic.base import Problem
from gxo.source import Span
from gxo.template.data import kind
from gxo.template.value import Data


def unknown_name(span: Span, name: str, within: str | None, names: Mapping[str, Data]) -> Problem:
    from gxo.diagnostic.evaluation import UnknownName

    return UnknownName(span=span, name=name, within=within, known=tuple(names))


def unknown_key(span: Span, within: str, key: str, box: Data) -> Problem:
    from gxo.diagnostic.evaluation import UnknownItem, UnknownName

    if isinstance(box, list):
        return UnknownItem(span=span, number=key, within=within, length=len(box))
    assert isinstance(box, dict)
    return UnknownName(span=span, name=key, within=within, known=tuple(box))


def no_keys(span: Span, within: str, key: str, value: Data) -> Problem:
    from gxo.diagnostic.evaluation import NoKeys

    return NoKeys(span=span, key=key, within=within, kind=kind(value))


def whole_scope(span: Span, written: str) -> Problem:
    from gxo.diagnostic.evaluation import WholeScopeRead

    return WholeScopeRead(span=span, written=written)


def nil_output(span: Span, written: str) -> Problem:
    from gxo.diagnostic.evaluation import NilOutput

    return NilOutput(span=span, written=written)


def cannot_range(span: Span, written: str, over: Data) -> Problem:
    from gxo.diagnostic.evaluation import CannotRange

    return CannotRange(span=span, written=written, kind=kind(over))


def not_here(span: Span, name: str, *, known: bool) -> Problem:
    from gxo.diagnostic.evaluation import FunctionNotHere

    return FunctionNotHere(span=span, name=name, known=known)


def function_failed(span: Span, name: str, reason: str, advice: str | None) -> Problem:
    from gxo.diagnostic.evaluation import FunctionFailed

    return FunctionFailed(span=span, name=name, reason=reason, advice=advice)


def too_much(span: Span, what: str, limit: int) -> Problem:
    from gxo.diagnostic.evaluation import TemplateLimit

    return TemplateLimit(span=span, what=what, limit=limit)
