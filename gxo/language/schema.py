"""The JSON Schema of a playbook, from the table of keys: for editors and other programs."""

from gxo.language.conditions import TEMPLATE_SCHEMA
from gxo.language.keys import PLAYBOOK, SECTIONS
from gxo.language.lifecycle_keys import LIFECYCLE
from gxo.language.pipeline import STEP
from gxo.language.process import PROCESS
from gxo.language.section import Section
from gxo.spec.library import LIBRARY
from gxo.spec.module import ModuleSpec, Param, ParamType, takes

_TITLE = "gxo playbook"

Json = dict[str, object]


def playbook_schema() -> Json:
    """JSON Schema, draft 2020-12, of one document of a playbook file.

    It describes each key by itself. What keys mean together only `gxo validate` knows.
    """
    sections = {section.slug: _section(section) for section in SECTIONS if section is not PLAYBOOK}
    sections[PROCESS.slug] = _with_params(sections[PROCESS.slug], "module", "params")
    sections[STEP.slug] = _with_params(sections[STEP.slug], "uses", "with")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _TITLE,
        **_section(PLAYBOOK),
        "$defs": {
            **sections,
            **{_slug(spec): _params(spec) for spec in LIBRARY.values()},
        },
    }


def _section(section: Section) -> Json:
    by = LIFECYCLE.by if section in LIFECYCLE.sections.values() else None
    properties = {}
    for key in section.keys:
        schema = dict(key.kind.schema())
        if key.name == by:
            schema = {"const": section.slug}
        properties[key.name] = {"description": key.doc, **schema}
    required = [key.name for key in section.keys if key.required]
    return {
        "description": section.doc,
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _with_params(section: Json, module: str, params: str) -> Json:
    """The params of a process depend on its module."""
    return {
        **section,
        "allOf": [
            {
                "if": {"properties": {module: {"const": spec.name}}, "required": [module]},
                "then": {
                    "properties": {params: {"$ref": f"#/$defs/{_slug(spec)}"}},
                    **({"required": [params]} if any(p.required for p in spec.params) else {}),
                },
            }
            for spec in LIBRARY.values()
        ],
    }


def _slug(spec: ModuleSpec) -> str:
    return "params-" + spec.name.replace(":", "-")


def _params(spec: ModuleSpec) -> Json:
    required = [param.name for param in spec.params if param.required]
    return {
        "description": f"Params of `{spec.name}`.",
        "type": "object",
        "properties": {
            param.name: {"description": f"{param.doc} Takes {takes(param)}.", **_param(param)}
            for param in spec.params
        },
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


_TEXT: Json = {"type": ["string", "number", "boolean"]}
"""Unquoted numbers and words are text where text is taken."""

_PARAMS: dict[ParamType, Json] = {
    ParamType.TEXT: _TEXT,
    ParamType.TEXTS: {"type": "array", "items": _TEXT},
    ParamType.ENVIRONMENT: {
        "type": "array",
        "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*=|^\\{\\{"},
    },
    ParamType.PATH: {"type": "string", "minLength": 1},
    ParamType.MODE: {"type": ["string", "integer"]},
    ParamType.BOOL: {"type": "boolean"},
    ParamType.INT: {"type": "integer"},
    ParamType.NUMBER: {"type": "number"},
    ParamType.DURATION: {"type": "string"},
    ParamType.SIZE: {"type": ["string", "integer"]},
    ParamType.ADDRESS: {"type": "string"},
    ParamType.LIST: {"type": "array"},
    ParamType.MAP: {"type": "object"},
    ParamType.ANY: {},
    ParamType.CONDITION: {"type": "boolean"},
    ParamType.STEPS: {"type": "array", "items": STEP.schema(), "minItems": 1},
    ParamType.FIELDS: {"type": "object", "additionalProperties": {"$ref": "#/$defs/input"}},
}
_NEVER_A_TEMPLATE = (ParamType.ANY, ParamType.TEXT, ParamType.STEPS, ParamType.FIELDS)


def _param(param: Param) -> Json:
    if param.type is ParamType.CHOICE:
        plain: Json = {"enum": list(param.choices)}
    else:
        bounds = {"minimum": param.low, "maximum": param.high}
        plain = _PARAMS[param.type] | {k: v for k, v in bounds.items() if v is not None}
    if param.type in _NEVER_A_TEMPLATE:
        return plain
    return {"anyOf": [plain, dict(TEMPLATE_SCHEMA)]}
