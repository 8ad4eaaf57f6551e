"""Processes: a module and its params, typed by the module's spec."""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from yaml import MappingNode, Node

from gxo.diagnostic.base import closest
from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Process
from gxo.language.modulekinds import ModuleName, RawParams
from gxo.language.params import read_param
from gxo.language.pipeline import read_fields, read_steps
from gxo.language.reader import Reader
from gxo.language.secrets import refuse_public
from gxo.language.section import Key, Places, Section, Values, first_line
from gxo.language.values import map_items
from gxo.source import Name, Span
from gxo.spec.library import LIBRARY
from gxo.spec.module import ModuleSpec, Param, ParamType
from gxo.template.tree import Plain, Template
from gxo.template.value import ListValue, Literal, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import modules as module_faults
else:
    module_faults = Lazy("gxo.diagnostic.modules")


def _build(reader: Reader, span: Span, at: Places, values: Values) -> Process | None:
    module: Name = values["module"]
    node = values.get("params")
    if node is None and "params" in at:
        return None
    outside = None if module.text in LIBRARY else reader.outside(module, reader.problems)
    spec = LIBRARY[module.text] if outside is None else outside.spec
    params = read_params(reader, spec, node, span)
    return Process(module=module, params=params, span=span, outside=outside)


_PARAMS = {name: {param.name: param for param in spec.params} for name, spec in LIBRARY.items()}

PROCESS = Section(
    "process",
    "`process`",
    "What a workload does: a module and its params.",
    (
        Key(
            "module",
            ModuleName(outside=True),
            "The module. The reference lists those of the library; `gxo modules list` also shows"
            " those that this host adds.",
            "exec",
            required=True,
        ),
        Key(
            "params",
            RawParams(),
            "Its params. Any text in them may be a template.",
            "{command: /usr/bin/id}",
            default="{}",
        ),
    ),
    build=_build,
    elsewhere=lambda name: "`params`" if any(s.param(name) for s in LIBRARY.values()) else None,
)


def read_params(
    reader: Reader, spec: ModuleSpec, node: MappingNode | None, around: Span
) -> MapValue:
    """The params of a module, typed; one that is wrong is left out."""
    known = _PARAMS.get(spec.name) or {param.name: param for param in spec.params}
    written = map_items(reader, node) if node is not None else []
    names = {name.text: name for name, _ in written}
    place = reader.span(node) if node is not None else around
    entries: list[tuple[Name, Value]] = []
    misspelt: set[str | None] = set()
    for name, child in written:
        param = known.get(name.text)
        if param is None:
            misspelt.add(closest(name.text, known))
            reader.problems.append(
                module_faults.UnknownParam(
                    span=name.span, module=spec.name, name=name.text, known=tuple(known)
                )
            )
            continue
        value = _read(reader, child, param)
        if value is None:
            continue
        if param.public:
            refuse_public(reader, param.name, value)
        entries.append((name, value))
    there = names.keys() | misspelt
    missing = (param for param in spec.params if param.required and param.name not in there)
    reader.problems += (
        module_faults.MissingParam(
            span=first_line(place), module=spec.name, name=param.name, example=param.example
        )
        for param in missing
    )
    params = MapValue(tuple(entries), place)
    if spec.name == "exec":
        _check_exec(reader, params, names, there)
    return params


def _read(reader: Reader, node: Node, param: Param) -> Value | None:
    if param.type is ParamType.STEPS:
        return read_steps(reader, node, param, read_params)
    if param.type is ParamType.FIELDS:
        return read_fields(reader, node, param)
    return read_param(reader, node, param)


def _check_exec(
    reader: Reader, params: MapValue, names: Mapping[str, Name], there: Set[str | None]
) -> None:
    """A whole line as `command` needs a shell; with a shell there is nothing to pass `args` to."""
    command = params.get("command")
    shell = params.get("shell")
    with_shell = isinstance(shell, Literal) and shell.data is True
    if with_shell:
        args = params.get("args")
        if args is not None and not (isinstance(args, ListValue) and not args.items):
            reader.problems.append(
                module_faults.ParamsExclude(
                    span=names["args"].span,
                    name="args",
                    other="shell: true",
                    first=names["shell"].span,
                    advice="write them in `command`, which is a whole line",
                )
            )
        return
    if command is None or not there.isdisjoint(("shell", "args")):
        return
    if isinstance(command, Literal) and "{{" not in str(command.data):
        words = tuple(str(command.data).split())
        if len(words) > 1:
            reader.problems.append(
                module_faults.CommandWithSpaces(span=command.span, first=words[0], rest=words[1:])
            )
    elif isinstance(command, Template):
        outside = "".join(node.text if isinstance(node, Plain) else "x" for node in command.nodes)
        if " " in outside.strip():
            reader.problems.append(
                module_faults.CommandWithSpaces(span=command.span, first="", rest=())
            )
