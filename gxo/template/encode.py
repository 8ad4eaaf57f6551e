"""Functions between data and its written forms: JSON, YAML, base64, digests, URLs."""

from typing import Any

from gxo.template.data import weigh, whole
from gxo.template.fault import Failure
from gxo.template.limits import Limits
from gxo.template.value import Data


def from_json(limits: Limits, text: str) -> Data:
    import json

    try:
        data = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Failure(f"the text is not JSON, see its {place}", argument=0) from None
    except RecursionError:
        raise Failure("the JSON is nested too deep", argument=0) from None
    except ValueError:  # Python's own limit on digits
        raise Failure("a number in the JSON is too long", argument=0) from None
    weigh(data, limits)
    return whole(data)


def _no_constant(word: str) -> Any:
    raise Failure(f"the text is not JSON: `{word}` is not a number there", argument=0)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Failure("a number in the JSON is too large", argument=0)
    return number


def to_yaml(limits: Limits, value: Data) -> str:
    from gxo.template import yaml_text

    weigh(value, limits)
    return yaml_text.dump(value)


def from_yaml(limits: Limits, text: str) -> Data:
    from gxo.template import yaml_text

    data = yaml_text.load(text, limits)
    weigh(data, limits)
    return data


def b64enc(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode("ascii")


def b64dec(text: str) -> str:
    from base64 import b64decode

    try:
        return b64decode("".join(text.split()), validate=True).decode()
    except UnicodeDecodeError:
        raise Failure("what it encodes is not text (not UTF-8)", argument=0) from None
    except ValueError:
        raise Failure("the text is not base64", argument=0) from None


def sha256(text: str) -> str:
    """Lower-case hexadecimal, of the text in UTF-8."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def urlquote(text: str) -> str:
    """Percent-encoded for any part of a URL; only letters, digits and `_.-~` stay."""
    from urllib.parse import quote

    return quote(text, safe="")
