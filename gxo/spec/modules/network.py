"""Modules that talk to others: connections and HTTP."""

from gxo.spec.module import SOURCE, TASK, ModuleSpec, Param, ParamType, Stream, SummaryKey

_CONNECTION = Param(
    name="connection",
    type=ParamType.TEXT,
    doc="The connection: what `connection:open` yields; without it, that of the event.",
    example='"{{ .database.connection }}"',
)
_TIMEOUT = Param(
    name="timeout",
    type=ParamType.DURATION,
    doc="How long it may take.",
    example="5s",
    default="30s",
)
_HEADERS = Param(
    name="headers",
    type=ParamType.MAP,
    doc="HTTP headers, names to values.",
    example="{Content-Type: application/json}",
)
_TLS_PATHS = (
    Param(
        name="certificate",
        type=ParamType.PATH,
        doc="Certificate chain in PEM form, for TLS; needs `key`.",
        example="/etc/gxo/site.pem",
    ),
    Param(
        name="key",
        type=ParamType.PATH,
        doc="Its private key in PEM form.",
        example="/etc/gxo/site.key",
    ),
)

NETWORK = (
    ModuleSpec(
        name="connection:listen",
        doc=(
            "Not in this version: listens; each connection is an event. systemd holds the socket, "
            "so that a restart refuses nobody."
        ),
        params=(
            Param(
                name="address",
                type=ParamType.ADDRESS,
                doc="Where to listen: `HOST:PORT`, `:PORT`, or the path of a unix socket.",
                example='":8080"',
                required=True,
            ),
            Param(
                name="protocol",
                type=ParamType.CHOICE,
                doc="With `udp`, each datagram is an event.",
                example="udp",
                default="tcp",
                choices=("tcp", "udp", "unix"),
            ),
            Param(
                name="backlog",
                type=ParamType.INT,
                doc="Connections that may wait to be accepted.",
                example="128",
                default="4096",
                low=1,
                high=65535,
            ),
        ),
        lifecycles=SOURCE,
        summary=(SummaryKey("address", "string", "Where it listens."),),
        stream_out=Stream.RECORDS,
    ),
    ModuleSpec(
        name="connection:open",
        doc=(
            "Not in this version: connects to a peer; the connection lasts until it is closed or "
            "the run ends."
        ),
        params=(
            Param(
                name="address",
                type=ParamType.ADDRESS,
                doc="Where to connect: `HOST:PORT`, or the path of a unix socket.",
                example='"db.example:5432"',
                required=True,
            ),
            Param(
                name="protocol",
                type=ParamType.CHOICE,
                doc="The protocol.",
                example="unix",
                default="tcp",
                choices=("tcp", "udp", "unix"),
            ),
            Param(
                name="tls",
                type=ParamType.BOOL,
                doc="Use TLS, and verify the peer by the host's certificate authorities.",
                example="true",
                default="false",
            ),
            _TIMEOUT,
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("connection", "string", "For the other `connection:` modules."),
            SummaryKey("peer", "string", "Address of the other side."),
        ),
    ),
    ModuleSpec(
        name="connection:read",
        doc=(
            "Not in this version: reads from a connection until one of its bounds is met or the "
            "peer ends."
        ),
        params=(
            _CONNECTION,
            Param(
                name="max_bytes",
                type=ParamType.SIZE,
                doc="Read at most this much.",
                example="64K",
                default="1M",
            ),
            Param(
                name="until",
                type=ParamType.TEXT,
                doc="Read up to this text, which is part of what is read.",
                example='"\\n"',
            ),
            _TIMEOUT,
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("data", "string", "What was read."),
            SummaryKey("bytes", "int", "How much."),
            SummaryKey("ended", "bool", "Whether the peer sends no more."),
        ),
        stream_out=Stream.BYTES,
    ),
    ModuleSpec(
        name="connection:write",
        doc="Not in this version: writes to a connection, text or its input stream.",
        params=(
            _CONNECTION,
            Param(
                name="data",
                type=ParamType.TEXT,
                doc="What to write, if no stream brings it.",
                example='"hello\\n"',
            ),
            _TIMEOUT,
        ),
        lifecycles=TASK,
        summary=(SummaryKey("bytes", "int", "How much was written."),),
        stream_in=Stream.BYTES,
        stands_in="data",
    ),
    ModuleSpec(
        name="connection:close",
        doc="Not in this version: ends a connection.",
        params=(_CONNECTION,),
        lifecycles=TASK,
    ),
    ModuleSpec(
        name="http:listen",
        doc=(
            "Not in this version: serves HTTP; each request is an event that `http:respond` "
            "answers."
        ),
        params=(
            Param(
                name="address",
                type=ParamType.ADDRESS,
                doc="Where to listen: `HOST:PORT`, `:PORT`, or the path of a unix socket.",
                example='":8080"',
                required=True,
            ),
            Param(
                name="methods",
                type=ParamType.TEXTS,
                doc="Methods that are served; others get 405.",
                example="[GET, POST]",
            ),
            Param(
                name="paths",
                type=ParamType.TEXTS,
                doc="Path prefixes that are served; others get 404.",
                example="[/hooks/]",
            ),
            Param(
                name="max_body",
                type=ParamType.SIZE,
                doc="A larger body gets 413.",
                example="10M",
                default="1M",
            ),
            *_TLS_PATHS,
        ),
        lifecycles=SOURCE,
        summary=(SummaryKey("address", "string", "Where it listens."),),
        stream_out=Stream.RECORDS,
    ),
    ModuleSpec(
        name="http:respond",
        doc="Not in this version: answers the request of the event.",
        params=(
            Param(
                name="status",
                type=ParamType.INT,
                doc="Status code.",
                example="404",
                default="200",
                low=100,
                high=599,
            ),
            _HEADERS,
            Param(
                name="body",
                type=ParamType.ANY,
                doc="Text as it is; a list or a map as JSON. An input stream takes its place.",
                example='"thanks\\n"',
            ),
        ),
        lifecycles=TASK,
        summary=(SummaryKey("bytes", "int", "Length of the body."),),
        stream_in=Stream.BYTES,
    ),
    ModuleSpec(
        name="http:request",
        doc=(
            "Sends a request to a server. A status from 400 on fails the workload. No proxy is "
            "taken from the environment. A redirection to another host carries none of `headers` "
            "but `Accept`, `Content-Type` and `User-Agent`, and no body. An input stream is sent "
            "as the body, and the body of a good answer is the output stream: both must have "
            "passed within `timeout`."
        ),
        params=(
            Param(
                name="url",
                type=ParamType.TEXT,
                doc="The URL; `http:` or `https:`.",
                example="https://example.org/api",
                required=True,
            ),
            Param(
                name="method",
                type=ParamType.CHOICE,
                doc="The method.",
                example="POST",
                default="GET",
                choices=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
            ),
            _HEADERS,
            Param(
                name="body",
                type=ParamType.ANY,
                doc="Text as it is; a list or a map as JSON. An input stream takes its place.",
                example="{name: gxo}",
            ),
            _TIMEOUT,
            Param(
                name="follow",
                type=ParamType.INT,
                doc="How many redirections to follow.",
                example="0",
                default="5",
                low=0,
                high=20,
            ),
            Param(
                name="accept_status",
                type=ParamType.LIST,
                doc="Statuses from 400 on that do not fail it.",
                example="[404]",
            ),
            Param(
                name="authorities",
                type=ParamType.PATH,
                doc="Certificate authorities in PEM form, in place of the host's.",
                example="/etc/gxo/ca.pem",
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("status", "int", "Status code."),
            SummaryKey("headers", "map", "Headers, names in lower case."),
            SummaryKey("body", "string", "What was received, at most 1 MiB."),
            SummaryKey("json", "any", "The same decoded, if it is JSON; else null."),
            SummaryKey("truncated", "bool", "Whether `body` is not all that was received."),
        ),
        stream_in=Stream.BYTES,
        stream_out=Stream.BYTES,
    ),
)
