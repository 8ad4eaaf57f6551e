"""The published JSON schemas, held against what commands print."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PLACE = Path(__file__).parent.parent / "docs/reference/json"


def held(name: str, text: str) -> Any:
    """The JSON that a command printed, after the schema of that name was held against it."""
    document = json.loads(text)
    _validator(name).validate(document)
    return document


@cache
def _validator(name: str) -> Draft202012Validator:
    described = json.loads((PLACE / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)
