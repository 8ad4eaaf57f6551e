"""Functions on text, printf among them."""

import re
from collections.abc import Sequence
from typing import cast

from gxo.template.data import Number, is_number, kind, number_text, texts, to_text
from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.value import Data

_WIDEST = 1_000
_FINEST = 100
_VERB = re.compile(
    r"%(?P<flags>[-+ 0#]*)(?P<width>\d+)?(?:\.(?P<precision>\d*))?(?P<verb>.?)", re.S
)


def title(text: str) -> str:
    """Each word with a capital; the rest of the word stays as it is."""
    return re.sub(r"(?:(?<=\s)|^)\S", lambda found: found[0].title(), text)


def replaced_size(arguments: Sequence[Data]) -> int:
    old, new, text = cast("tuple[str, str, str]", tuple(arguments))
    return len(text) + (text.count(old) * len(new))


def split(separator: str, text: str) -> Data:
    """The pieces between separators; without one, the characters."""
    return list(text.split(separator)) if separator else list(text)


def join(limits: Limits, separator: str, items: list[Data]) -> str:
    parts = texts(items, limits)
    if len(separator) * len(parts) > limits.size:
        raise TooMuch("characters", limits.size)
    return separator.join(parts)


def concat(limits: Limits, *values: Data) -> str:
    """As Go prints: a space stands between two values that are both no text."""
    parts: list[str] = []
    for index, (value, text) in enumerate(zip(values, texts(values, limits), strict=True)):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def quote(limits: Limits, value: Data) -> str:
    """A JSON string, which YAML and most languages read too."""
    import json

    return json.dumps(to_text(value, limits), ensure_ascii=False)


def squote(limits: Limits, value: Data) -> str:
    """One word for a POSIX shell, whatever it holds."""
    return "'" + to_text(value, limits).replace("'", "'\\''") + "'"


def indented_size(arguments: Sequence[Data]) -> int:
    spaces, text = cast("tuple[int, str]", tuple(arguments))
    return len(text) + (text.count("\n") + 1) * max(0, spaces)


def indent(spaces: int, text: str) -> str:
    """Spaces before every line, empty ones too, as in sprig."""
    if spaces < 0:
        raise Failure("the number of spaces is below 0", argument=0)
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def nindent(spaces: int, text: str) -> str:
    return "\n" + indent(spaces, text)


def printf(limits: Limits, pattern: str, *values: Data) -> str:
    """Go's verbs %v %s %q %d %f %g %e %x %X %o %b %c %t %%, with flags, width and precision."""
    parts: list[str] = []
    at = used = total = 0
    for verb in _VERB.finditer(pattern):
        parts.append(pattern[at : verb.start()])
        at = verb.end()
        if verb["verb"] == "%":
            parts.append("%")
        else:
            if used == len(values):
                raise Failure(f"there is no value for `{verb[0]}`", argument=0)
            try:
                parts.append(_verb(verb, values[used], limits))
            except Failure as failure:
                failure.argument = failure.argument if failure.argument == 0 else used + 1
                raise
            used += 1
        total += len(parts[-2]) + len(parts[-1])
        if total > limits.size:
            raise TooMuch("characters", limits.size)
    if used < len(values):
        raise Failure(f"the text has no `%` verb for value {used + 1}", argument=used + 1)
    return "".join(parts) + pattern[at:]


def _verb(verb: re.Match[str], value: Data, limits: Limits) -> str:
    flags, letter = verb["flags"], verb["verb"]
    width, precision = _counted(verb, "width", _WIDEST), _counted(verb, "precision", _FINEST)
    text = _formatted(letter, flags, precision, value, limits, verb[0])
    missing = width - len(text)
    if missing <= 0:
        return text
    if "-" in flags:
        return text + " " * missing
    if "0" in flags and letter in "dfgexXob":
        sign = 1 if text[:1] in ("+", "-", " ") else 0
        return text[:sign] + "0" * missing + text[sign:]
    return " " * missing + text


def _counted(verb: re.Match[str], part: str, most: int) -> int:
    digits = verb[part]
    if digits is None:
        return -1
    if len(digits) > 4 or int(digits or 0) > most:
        raise Failure(f"the {part} in `{verb[0]}` is more than {most}", argument=0)
    return int(digits or 0)


def _formatted(
    letter: str, flags: str, precision: int, value: Data, limits: Limits, written: str
) -> str:
    if letter in ("v", "s"):
        text = to_text(value, limits)
        return text[:precision] if precision >= 0 and letter == "s" else text
    if letter == "q":
        return quote(limits, value)
    if letter == "t":
        if not isinstance(value, bool):
            raise Failure(f"`{written}` takes a boolean, not {kind(value)}")
        return to_text(value, limits)
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if letter in "dxXobc" and letter:
        if letter in "xX" and isinstance(value, str):
            text = value.encode().hex()
            return text.upper() if letter == "X" else text
        if not isinstance(value, int) or isinstance(value, bool):
            hint = "`int` makes a whole number of it" if is_number(value) else None
            raise Failure(f"`{written}` takes a whole number, not {kind(value)}", hint=hint)
        if letter == "c":
            return _character(value)
        if letter == "d":
            return (sign if value >= 0 else "") + number_text(value)
        return format(value, sign + ("#" if "#" in flags else "") + letter)
    if letter in "fgeFGE" and letter:
        if not is_number(value):
            raise Failure(f"`{written}` takes a number, not {kind(value)}")
        number = float(cast("Number", value))
        if precision < 0 and letter in "gG":
            return (sign if number >= 0 else "") + repr(number)
        return format(number, sign + (f".{precision}" if precision >= 0 else "") + letter)
    raise Failure(
        f"`{written}` is not a verb" if letter else "a single `%` ends the text",
        argument=0,
        hint="the verbs are %v %s %q %d %f %g %e %x %o %b %c %t; `%%` prints a percent sign",
    )


def _character(value: int) -> str:
    if not 0 <= value <= 0x10FFFF or 0xD800 <= value <= 0xDFFF:
        raise Failure("there is no such character")
    return chr(value)
