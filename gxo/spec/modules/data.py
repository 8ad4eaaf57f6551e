"""Modules that work on records, one JSON object a line, and pipelines of them."""

from gxo.spec.module import TASK, ModuleSpec, Param, ParamType, Stream, SummaryKey

_ITEMS = Param(
    name="items",
    type=ParamType.LIST,
    doc="The records, where no stream brings them.",
    example='"{{ .hosts }}"',
)
_SUMMARY = (
    SummaryKey("items", "list", "The records, where no workload takes the stream."),
    SummaryKey("count", "int", "How many."),
)
_RECORD = ("record", "index")


def _records(
    name: str, doc: str, *params: Param, summary: tuple[SummaryKey, ...] = _SUMMARY
) -> ModuleSpec:
    """A module that takes records from a stream or `items`, and yields records."""
    return ModuleSpec(
        name=name,
        doc=doc,
        params=(*params, _ITEMS),
        lifecycles=TASK,
        summary=summary,
        stream_in=Stream.RECORDS,
        stream_out=Stream.RECORDS,
        stands_in="items",
    )


DATA = (
    ModuleSpec(
        name="data:generate_from_list",
        doc="Yields each item of a list as a record.",
        params=(
            Param(
                name="items",
                type=ParamType.LIST,
                doc="The list. An item that is no map becomes `{value: ITEM}`.",
                example="[{host: a}, {host: b}]",
                required=True,
            ),
        ),
        lifecycles=TASK,
        summary=_SUMMARY,
        stream_out=Stream.RECORDS,
    ),
    ModuleSpec(
        name="data:parse",
        doc="Makes records of text.",
        params=(
            Param(
                name="format",
                type=ParamType.CHOICE,
                doc="`json` is one document, a list of it many records; `regex` needs `pattern`.",
                example="csv",
                required=True,
                choices=("lines", "json", "jsonl", "yaml", "csv", "regex"),
            ),
            Param(
                name="pattern",
                type=ParamType.TEXT,
                doc="Regular expression for each line; its named groups are the record.",
                example="'^(?P<user>[^:]+):'",
            ),
            Param(
                name="columns",
                type=ParamType.TEXTS,
                doc="Names of the columns of `csv`; without it the first line has them.",
                example="[name, size]",
            ),
            Param(
                name="delimiter",
                type=ParamType.TEXT,
                doc="What stands between the columns of `csv`.",
                example='";"',
                default='","',
            ),
            Param(
                name="text",
                type=ParamType.TEXT,
                doc="The text, where no stream brings it.",
                example='"{{ .list.stdout }}"',
            ),
        ),
        lifecycles=TASK,
        summary=_SUMMARY,
        stream_in=Stream.BYTES,
        stream_out=Stream.RECORDS,
        stands_in="text",
    ),
    _records(
        "data:map",
        "Makes of each record another.",
        Param(
            name="to",
            type=ParamType.ANY,
            doc="The new record; templates in it read `.record` and `.index`.",
            example="{name: '{{ .record.host | upper }}'}",
            required=True,
            binds=_RECORD,
        ),
    ),
    _records(
        "data:filter",
        "Lets through the records for which a condition holds.",
        Param(
            name="where",
            type=ParamType.CONDITION,
            doc="The condition; it reads `.record` and `.index`.",
            example="'{{ gt .record.size 1024 }}'",
            required=True,
            binds=_RECORD,
        ),
    ),
    _records(
        "data:join",
        "Joins the records of two streams that agree in a key; the first stream is the left.",
        Param(
            name="on",
            type=ParamType.TEXTS,
            doc="The keys in which they must agree.",
            example="[host]",
            required=True,
        ),
        Param(
            name="kind",
            type=ParamType.CHOICE,
            doc="Which records without a partner stay.",
            example="left",
            default="inner",
            choices=("inner", "left", "right", "full"),
        ),
        Param(
            name="with",
            type=ParamType.LIST,
            doc="The right records, where only one stream or none comes in.",
            example='"{{ .owners }}"',
        ),
    ),
    _records(
        "data:aggregate",
        "Makes one record of each group.",
        Param(
            name="by",
            type=ParamType.TEXTS,
            doc="The keys that make a group; without it all records are one.",
            example="[host]",
        ),
        Param(
            name="values",
            type=ParamType.MAP,
            doc=(
                "New keys to `count`, or to `sum`, `min`, `max`, `mean`, `first`, `last` or `list` "
                "with the key they are of."
            ),
            example="{total: sum size, files: count}",
            required=True,
        ),
    ),
    _records(
        "data:format",
        "Makes text of records.",
        Param(
            name="format",
            type=ParamType.CHOICE,
            doc="`template` needs `template`.",
            example="csv",
            required=True,
            choices=("lines", "json", "jsonl", "yaml", "csv", "template"),
        ),
        Param(
            name="template",
            type=ParamType.TEXT,
            doc="The text for each record; it reads `.record` and `.index`.",
            example="'{{ .record.name }}: {{ .record.size }}'",
            binds=_RECORD,
        ),
        Param(
            name="columns",
            type=ParamType.TEXTS,
            doc="The columns of `csv`, in order.",
            example="[name, size]",
        ),
        summary=(SummaryKey("text", "string", "The text, where no workload takes the stream."),),
    ),
    ModuleSpec(
        name="stream:pipeline",
        doc="Runs modules as one workload, each fed by those it needs.",
        params=(
            Param(
                name="steps",
                type=ParamType.STEPS,
                doc=(
                    "Each has `uses` (a module) and may have `id`, `with` (its params), `needs` "
                    "(ids), `when` and `register`. A step without `needs` reads the step above."
                ),
                example="[{id: list, uses: 'data:parse', with: {format: lines, text: a}}]",
                required=True,
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("steps", "map", "The summary of each step that has an id."),
            SummaryKey("count", "int", "Records that came out at the end."),
        ),
        stream_in=Stream.RECORDS,
        stream_out=Stream.RECORDS,
    ),
)
