"""Modules that work on the host: exec and the filesystem family."""

from gxo.spec.module import ALL, TASK, ModuleSpec, Param, ParamType, Stream, SummaryKey

_PATH_DOC = (
    "Relative to the workspace. A path outside it needs `profile: host` or `read_write_paths`; for "
    "reading, `read_only_paths` is enough. Any other path that leads outside fails the run."
)


def _path(doc: str, example: str) -> Param:
    return Param(
        name="path", type=ParamType.PATH, doc=f"{doc} {_PATH_DOC}", example=example, required=True
    )


def _mode(default: str) -> Param:
    return Param(
        name="mode",
        type=ParamType.MODE,
        doc="Permission bits in octal digits.",
        example="0640",
        default=default,
    )


_OWNERS = (
    Param(name="owner", type=ParamType.TEXT, doc="User who owns it.", example="www-data"),
    Param(name="group", type=ParamType.TEXT, doc="Group that owns it.", example="www-data"),
)

EXEC = ModuleSpec(
    name="exec",
    doc=(
        "Runs a program. Its first input stream is its standard input, and each one is at "
        "`$GXO_STREAM_<NAME>`; its standard output is its output stream."
    ),
    params=(
        Param(
            name="command",
            type=ParamType.TEXT,
            doc=(
                "The program: an absolute path, or the name of one of the system's programs. "
                "With `shell: true`, a whole command line."
            ),
            example="/usr/sbin/nginx",
            required=True,
            public=True,
        ),
        Param(
            name="args",
            type=ParamType.TEXTS,
            doc="Its arguments, each passed as it is written: nothing is split or expanded.",
            example='["-g", "daemon off;"]',
            default="[]",
            public=True,
        ),
        Param(
            name="environment",
            type=ParamType.ENVIRONMENT,
            doc="Environment variables. One that holds a secret is passed out of sight.",
            example='["LANG=C.UTF-8"]',
            default="[]",
        ),
        Param(
            name="stdin",
            type=ParamType.TEXT,
            doc="Text for its standard input, in place of a stream.",
            example='"yes\\n"',
        ),
        Param(
            name="shell",
            type=ParamType.BOOL,
            doc="`command` is a line for /bin/sh.",
            example="true",
            default="false",
        ),
    ),
    lifecycles=ALL,
    summary=(
        SummaryKey("exit_code", "int", "Exit status, or 128 and the signal that ended it."),
        SummaryKey(
            "stdout", "string", "What it wrote, without the last line break; at most 1 MiB."
        ),
        SummaryKey("stderr", "string", "The same of its standard error."),
        SummaryKey("truncated", "bool", "Whether one of them is not all that it wrote."),
    ),
    stream_in=Stream.BYTES,
    stream_out=Stream.BYTES,
)

_FILESYSTEM = (
    ModuleSpec(
        name="filesystem:read",
        doc="Reads a file: into its stream if another workload reads that, else into its summary.",
        params=(
            _path("The file.", "build/version.txt"),
            Param(
                name="encoding",
                type=ParamType.CHOICE,
                doc="How the summary holds the bytes.",
                example="base64",
                default="utf-8",
                choices=("utf-8", "base64"),
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("content", "string", "What the file holds; at most 1 MiB."),
            SummaryKey("size", "int", "Bytes."),
            SummaryKey("sha256", "string", "Digest of the bytes, in hexadecimal digits."),
            SummaryKey("truncated", "bool", "Whether `content` is not all of it."),
        ),
        stream_out=Stream.BYTES,
    ),
    ModuleSpec(
        name="filesystem:write",
        doc=(
            "Writes a file atomically: readers see the old one or the whole new one. A "
            "symbolic link in its place is replaced, not followed."
        ),
        params=(
            _path("The file.", "dist/index.html"),
            Param(
                name="content",
                type=ParamType.TEXT,
                doc="What to write, if no stream brings it.",
                example='"{{ .page }}"',
            ),
            Param(
                name="encoding",
                type=ParamType.CHOICE,
                doc="How `content` holds the bytes.",
                example="base64",
                default="utf-8",
                choices=("utf-8", "base64"),
            ),
            _mode("0644"),
            *_OWNERS,
            Param(
                name="append",
                type=ParamType.BOOL,
                doc="Add to what the file holds; this is not atomic, and leaves its mode alone.",
                example="true",
                default="false",
            ),
            Param(
                name="create_directories",
                type=ParamType.BOOL,
                doc="Create the directories above it.",
                example="true",
                default="false",
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("path", "string", "The file, absolute."),
            SummaryKey("size", "int", "Bytes written."),
            SummaryKey("changed", "bool", "Whether the file was different before."),
        ),
        stream_in=Stream.BYTES,
        stands_in="content",
    ),
    ModuleSpec(
        name="filesystem:stat",
        doc="Looks whether a path exists, and what it is.",
        params=(
            _path("What to look at.", "dist"),
            Param(
                name="follow",
                type=ParamType.BOOL,
                doc="Look at what a symbolic link points to.",
                example="false",
                default="true",
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("exists", "bool", "Whether it is there; the rest is null if not."),
            SummaryKey("type", "string", "`file`, `directory`, `link` or `other`."),
            SummaryKey("size", "int", "Bytes."),
            SummaryKey("mode", "string", "Permission bits in octal digits."),
            SummaryKey("owner", "string", "User name, or number where it has none."),
            SummaryKey("group", "string", "Group name, or number where it has none."),
            SummaryKey("modified", "string", "RFC 3339, in UTC."),
        ),
    ),
    ModuleSpec(
        name="filesystem:list",
        doc="Lists a directory, sorted by name.",
        params=(
            _path("The directory.", "dist"),
            Param(
                name="pattern",
                type=ParamType.TEXT,
                doc="Only names that match this shell pattern.",
                example='"*.html"',
                default='"*"',
            ),
            Param(
                name="recursive",
                type=ParamType.BOOL,
                doc="Directories within it too; symbolic links are not followed.",
                example="true",
                default="false",
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey(
                "entries",
                "list",
                "Maps of `path` as other modules take it, `type` and `size`; about 1 MiB at most.",
            ),
            SummaryKey("count", "int", "How many there are."),
            SummaryKey("truncated", "bool", "Whether `entries` is not all of them."),
        ),
        stream_out=Stream.RECORDS,
    ),
    ModuleSpec(
        name="filesystem:manage",
        doc=(
            "Brings a path into a state, unless it is in that state already. A directory is "
            "created with all above it."
        ),
        params=(
            _path("What to manage.", "dist/assets"),
            Param(
                name="state",
                type=ParamType.CHOICE,
                doc="`absent` removes a directory with all it holds; `link` needs `target`.",
                example="directory",
                required=True,
                choices=("file", "directory", "link", "absent"),
            ),
            Param(
                name="target",
                type=ParamType.PATH,
                doc="What a link points to.",
                example="releases/42",
            ),
            Param(
                name="mode",
                type=ParamType.MODE,
                doc="Permission bits in octal digits; left as they are if not given.",
                example="0750",
            ),
            *_OWNERS,
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("path", "string", "The path, absolute."),
            SummaryKey("changed", "bool", "Whether it was different before."),
        ),
    ),
)

HOST = (EXEC, *_FILESYSTEM)
