"""Modules that work on records, one JSON object a line, and pipelines of them."""

from gxo.spec.module import TASK, ModuleSpec, Param, ParamType, Stream, SummaryKey

_ITEMS = Param(
    name="items",
    type=ParamType.LIST,
    doc="The records, if no stream brings them.",
    example='"{{ .hosts }}"',
)
_SUMMARY = (
    SummaryKey("items", "list", "The records, if no workload reads the stream; 1 MiB at most."),
    SummaryKey("count", "int", "How many there are."),
    SummaryKey("truncated", "bool", "Whether `items` is not all of them."),
)
_TEXT = (
    SummaryKey("text", "string", "The text, if no workload reads the stream; 1 MiB at most."),
    SummaryKey("truncated", "bool", "Whether `text` is not all of it."),
)
_DELIMITER = Param(
    name="delimiter",
    type=ParamType.TEXT,
    doc="What separates the columns of `csv`; a comma if not given.",
    example='";"',
)
_RECORD = ("record", "index")


def _records(
    name: str,
    doc: str,
    *params: Param,
    summary: tuple[SummaryKey, ...] = _SUMMARY,
    gives: Stream = Stream.RECORDS,
) -> ModuleSpec:
    """A module that takes records from a stream or `items`."""
    return ModuleSpec(
        name=name,
        doc=doc,
        params=(*params, _ITEMS),
        lifecycles=TASK,
        summary=summary,
        stream_in=Stream.RECORDS,
        stream_out=gives,
        stands_in="items",
        operator=True,
    )


DATA = (
    ModuleSpec(
        name="data:generate_from_list",
        doc="Yields each item of a list as a record.",
        params=(
            Param(
                name="items",
                type=ParamType.LIST,
                doc="The list. An item that is not a map becomes `{value: ITEM}`.",
                example="[{host: a}, {host: b}]",
                required=True,
            ),
        ),
        lifecycles=TASK,
        summary=_SUMMARY,
        stream_out=Stream.RECORDS,
        operator=True,
    ),
    ModuleSpec(
        name="data:parse",
        doc=(
            "Turns text into records; each input is parsed by itself. A value that is not a map "
            "becomes `{value: VALUE}`. Text must be UTF-8. What cannot be parsed fails the "
            "workload, and the error says where it is."
        ),
        params=(
            Param(
                name="format",
                type=ParamType.CHOICE,
                doc=(
                    "`json` is one document and `yaml` some, a list in them many records; `ndjson` "
                    "is a JSON value a line; the first row of `csv` names the columns; of `xml`, "
                    "each child of the outermost element is a record; `text_lines` makes `{line: "
                    "TEXT}` of each; `regex` takes the named groups of `pattern`; `logfmt` is "
                    '`key=value key="a value"`.'
                ),
                example="csv",
                required=True,
                choices=(
                    *("json", "ndjson", "yaml", "csv"),
                    *("xml", "text_lines", "regex", "logfmt"),
                ),
            ),
            Param(
                name="pattern",
                type=ParamType.TEXT,
                doc=(
                    "Regular expression of `regex`, found in each line; its named groups are the "
                    "record. It is RE2's: no line takes long, and there is no look-around."
                ),
                example="'^(?P<user>[^:]+):'",
            ),
            Param(
                name="unmatched",
                type=ParamType.CHOICE,
                doc="What to do with a line without a match of `pattern`; `error` if not given.",
                example="skip",
                choices=("error", "skip"),
            ),
            Param(
                name="columns",
                type=ParamType.TEXTS,
                doc="Names of the columns of `csv`; without it, the first row has them.",
                example="[name, size]",
            ),
            _DELIMITER,
            Param(
                name="element",
                type=ParamType.TEXT,
                doc=(
                    "The element of `xml` that is a record, wherever it stands. In a record, "
                    "`@NAME` is an attribute, NAME an element within, a list where it stands there "
                    "more than once, and `#text` is text beside those. An element that has text "
                    "alone is that text. A document type is refused."
                ),
                example="item",
            ),
            Param(
                name="text",
                type=ParamType.TEXT,
                doc="The text, if no stream brings it.",
                example='"{{ .list.stdout }}"',
            ),
        ),
        lifecycles=TASK,
        summary=(
            *_SUMMARY,
            SummaryKey("skipped", "int", "Lines that `unmatched: skip` has left out."),
        ),
        stream_in=Stream.BYTES,
        stream_out=Stream.RECORDS,
        stands_in="text",
        operator=True,
    ),
    _records(
        "data:map",
        "Turns each record into another; what is not a map becomes `{value: VALUE}`.",
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
        "Keeps the records for which a condition holds, each line exactly as it came in.",
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
        (
            "Joins the records of two streams that agree in their keys: the first stream is the "
            "left. The right one is held in memory, then the left one passes. A record that lacks "
            "a key, or has null there, has no partner. Where both have a key, the left one's value "
            "stays."
        ),
        Param(
            name="on",
            type=ParamType.TEXTS,
            doc='The keys in which they must agree, in value and kind: `1` is not `"1"`.',
            example="[host]",
            required=True,
        ),
        Param(
            name="kind",
            type=ParamType.CHOICE,
            doc=(
                "Whose records without a partner stay: nobody's, the left ones, the right ones, or "
                "both."
            ),
            example="left",
            default="inner",
            choices=("inner", "left", "right", "outer"),
        ),
        Param(
            name="with",
            type=ParamType.LIST,
            doc="The right records, where only one stream or none comes in.",
            example='"{{ .owners }}"',
        ),
        Param(
            name="max_build_records",
            type=ParamType.INT,
            doc="How many right records may be held; one more fails the workload.",
            example="50000",
            default="1000000",
            low=1,
        ),
    ),
    _records(
        "data:aggregate",
        (
            "Makes one record of each group, in the order in which they appear, at the end of its "
            "input or of each window."
        ),
        Param(
            name="by",
            type=ParamType.TEXTS,
            doc="The keys that make a group; without it, all records are one group.",
            example="[host]",
        ),
        Param(
            name="values",
            type=ParamType.MAP,
            doc=(
                "Each new key with `count` alone, or with `count`, `sum`, `avg`, `min`, `max`, "
                "`first` or `last` and a key of the records; one without that key, or with null "
                "there, does not count."
            ),
            example="{total: sum size, files: count}",
            required=True,
        ),
        Param(
            name="window",
            type=ParamType.MAP,
            doc=(
                "`{count: N}` ends after N records; `{time: 10s}` at each multiple of that time, "
                "by when records arrive, or by their own time at `field`, by which they must be "
                "sorted. The records have its number or its start at `window`."
            ),
            example="{time: 1m, field: at}",
        ),
        Param(
            name="max_groups",
            type=ParamType.INT,
            doc="How many groups a window may have; one more fails the workload.",
            example="1000",
            default="1000000",
            low=1,
        ),
    ),
    _records(
        "data:format",
        "Turns records into text.",
        Param(
            name="format",
            type=ParamType.CHOICE,
            doc=(
                "As `data:parse` reads it: `json` and `yaml` are one list, `text_lines` is the "
                "value at `line`; `template` needs `template`."
            ),
            example="csv",
            required=True,
            choices=(
                *("json", "ndjson", "yaml", "csv"),
                *("xml", "text_lines", "logfmt", "template"),
            ),
        ),
        Param(
            name="template",
            type=ParamType.TEXT,
            doc=(
                "The text for each record, which a line break ends; it reads `.record` and "
                "`.index`."
            ),
            example="'{{ .record.name }}: {{ .record.size }}'",
            binds=_RECORD,
        ),
        Param(
            name="columns",
            type=ParamType.TEXTS,
            doc="The columns of `csv`, in order; without it, the keys of the first record.",
            example="[name, size]",
        ),
        _DELIMITER,
        Param(
            name="element",
            type=ParamType.TEXT,
            doc="Name of the elements of `xml`; `record` if not given.",
            example="item",
        ),
        summary=(*_TEXT, SummaryKey("count", "int", "How many records.")),
        gives=Stream.BYTES,
    ),
    ModuleSpec(
        name="stream:pipeline",
        doc=(
            "Runs modules in one process, as one workload, each fed by those it needs. The first "
            "step takes the workload's streams, or has `items` or `text`; what the last passes on "
            "is the workload's stream."
        ),
        params=(
            Param(
                name="steps",
                type=ParamType.STEPS,
                doc=(
                    "Each has `uses` (a `data:` module, `passthrough` or `control:barrier`) and "
                    "may have `id`, `with` (its params), `needs` (ids), `when` and `register`. "
                    "A step without `needs`, `items` and `text` takes what the step above yields."
                ),
                example="[{id: list, uses: 'data:parse', with: {format: text_lines, text: a}}]",
                required=True,
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("steps", "map", "The summary of each step that has an id, with `count`."),
            SummaryKey("count", "int", "Records that came out at the end."),
            SummaryKey("items", "list", "These records, if no workload reads the stream."),
            SummaryKey("text", "string", "The text, if the last step makes text."),
            SummaryKey("truncated", "bool", "Whether `items` or `text` is not all of it."),
        ),
        stream_in=Stream.RECORDS,
        stream_out=Stream.RECORDS,
    ),
)
