"""The reference of the language, docs/reference/playbook.md and modules.md, from the tables."""

from collections.abc import Iterator

from gxo.language.keys import SECTIONS
from gxo.language.kinds import Kind
from gxo.language.limits import DEPTH, FILE_BYTES, NAME, TEXT, VALUES
from gxo.language.module_file import MODULE, PARAM, SUMMARY
from gxo.language.section import ListOf, Section, Variants
from gxo.spec.library import LIBRARY
from gxo.spec.lifecycle import Policy
from gxo.spec.module import ModuleSpec, ParamType, Stream, takes

_MADE = "<!-- Made from the tables in gxo/ by `pytest --accept`: edit those. -->"

_PLAYBOOK = f"""# Playbooks

{_MADE}

A playbook is a YAML map. A file may hold several, divided by `---`; a directory stands for all its
`*.yaml` and `*.yml`, in the order of their names. `gxo schema` prints a JSON Schema for editors.

```yaml
name: site
vars:
  home: /srv/site
workloads:
  - name: web
    lifecycle: {{policy: supervise, restart: always}}
    process:
      module: exec
      params: {{command: /usr/bin/python3, args: [-m, http.server, --directory, "{{{{ .home }}}}"]}}
  - name: report
    lifecycle: {{policy: scheduled, cron: "30 4 * * mon-fri"}}
    needs: [web]
    process:
      module: exec
      params: {{command: "du -sh {{{{ .home }}}}", shell: true}}
```

## How values are read

Each key has a type, and its text is read as that type, not by YAML's guesses: `register: no` and
`user: 1000` are text, `attempts: 3` is a number, and `ignore_errors: yes` is an error that says to
write `true`.

Where any value is allowed (in `vars`, and in some params), unquoted text is read as JSON would read
it: `true`, `false`, `null` (also `~` and nothing at all), `12`, `-1.5`, `1e3`. Everything else is
text: `yes`, `off`, `010`, `0x1f`, `1_000`, `12:30`, `1.10.2`, `.5`, `.inf`.

A template, `{{{{ … }}}}`, is allowed in any text of `params`, `when`, `loop` and `vars`, and
nowhere else. A value that begins with one must be quoted, because YAML takes `{{{{` for a map.
[Templates](templates.md) describes their form.

Refused are unknown keys and keys that appear twice, tags (`!x`), merge keys (`<<`), control
characters other than tab and line feed, and aliases that expand without end. Anchors and aliases
for a whole value work.

Limits: {FILE_BYTES // 1024 // 1024} MiB per file, {VALUES:,} values per playbook, {DEPTH} levels
of lists and maps, {TEXT // 1024} KiB per text, {NAME} characters per name.

Durations are written as in Go: `1h30m`, `1.5s`, `500ms`. Sizes have K, M, G or T, each 1024 times
the one before: `512M`.
"""

_MODULES = f"""# Modules

{_MADE}

A process is a module and its params:

```yaml
name: who
workloads:
  - name: am-i
    lifecycle: {{policy: run_once}}
    process:
      module: exec
      params: {{command: /usr/bin/id}}
```

Any text in params may be a template. A template that is the whole value keeps its type, so that
`items: "{{{{ .hosts }}}}"` can be a list. The summary of a workload that reads streams also has
`dropped`, the number of lines it lost because its stream was full (`channel_policy`).

These are the modules of the library. Those that are not in this version pass `gxo validate`, but
`gxo apply` and `gxo run` refuse them. [Modules of your own](../how-to/modules.md) shows how to add
others.
"""


_MODULE_FILE = f"""# module.yaml

{_MADE}

A module from outside the library is a directory with a `module.yaml` and its code;
[Modules of your own](../how-to/modules.md) shows how one is made, signed and used.
`module.yaml` is read as data: none of a module's code runs before a run that uses it.

```yaml
# module.yaml
name: acme:report
doc: Writes a report.
entry: main.py
params:
  path: {{type: path, doc: Where it goes., required: true, example: out/report.txt}}
  style: {{type: choice, doc: How long it is., choices: [short, long], default: short}}
summary:
  lines: {{type: int, doc: How many lines it has.}}
```

## What is started

The file named by `entry`, in the step's own unit, under its `security_context`, with the workspace
as its working directory, from a copy that nobody can change.

- On standard input: one JSON document. `module` is its name; `params` holds every param, evaluated
  and of its type: durations in seconds, sizes in bytes, modes as numbers, null for what is not
  given and has no default; `workspace` is the workspace's path; `write` and `read` are the paths
  that the `security_context` grants beside it, and with `free` true it has those of the whole host.
- On standard output: one JSON document, its answer. `{{"summary": {{…}}}}` is what `register`
  keeps. `{{"error": "no such host"}}` says that it failed, and may have a `summary` too; with
  `"fatal": true` it is not tried again, and nothing else of the run starts.
- On standard error: anything; it goes to the journal line by line, redacted.
- Its exit status: 0 if it answered without an error, anything else if it failed.

Secrets reach it in `params` alone. A path in a param of type `path` must lie where the step may
work, or the workload ends with a security error before anything is started.
"""


def playbook_reference() -> str:
    """docs/reference/playbook.md: every section, every key."""
    return "\n".join([_PLAYBOOK, *(line for section in SECTIONS for line in _section(section))])


def modules_reference() -> str:
    """docs/reference/modules.md: every module of the library, every param."""
    return "\n".join([_MODULES, *(line for spec in LIBRARY.values() for line in _module(spec))])


def module_file_reference() -> str:
    """docs/reference/module-yaml.md: what a module from outside the library says of itself."""
    sections = (MODULE, PARAM, SUMMARY)
    return "\n".join([_MODULE_FILE, *(line for section in sections for line in _section(section))])


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.slug}"
    yield ""
    yield section.doc
    yield ""
    yield "| key | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for key in section.keys:
        default = "*required*" if key.required else _cell(_code(key.default))
        meaning = f"{key.doc} Example: {_code(key.example)}"
        yield f"| `{key.name}` | {_takes(key.kind)} | {default} | {_cell(meaning)} |"
    yield ""


def _takes(kind: Kind) -> str:
    """What a key takes, linked to the section where that is one."""
    match kind:
        case Section():
            return f"[{kind.slug}](#{kind.slug})"
        case Variants():
            return ", ".join(_takes(section) for section in kind.sections.values())
        case ListOf() if isinstance(kind.item, Section):
            return f"a list of {_takes(kind.item)}"
    return _cell(kind.takes)


def _module(spec: ModuleSpec) -> Iterator[str]:
    yield f"## {spec.name}"
    yield ""
    yield spec.doc
    yield ""
    lifecycles = ", ".join(f"`{policy}`" for policy in Policy if policy in spec.lifecycles)
    yield f"Lifecycles: {lifecycles}. {_streams(spec)}"
    yield ""
    if spec.params:
        yield "| param | takes | default | meaning |"
        yield "| --- | --- | --- | --- |"
        for param in spec.params:
            default = "*required*" if param.required else _cell(_code(param.default))
            meaning = f"{param.doc} Example: {_code(param.example)}"
            what = _LINKED.get(param.type) or _cell(takes(param))
            yield f"| `{param.name}` | {what} | {default} | {_cell(meaning)} |"
        yield ""
    if spec.summary:
        yield "| summary | type | meaning |"
        yield "| --- | --- | --- |"
        for key in spec.summary:
            yield f"| `{key.name}` | {key.type} | {_cell(key.doc)} |"
        yield ""


_LINKED = {
    ParamType.STEPS: "a list of [steps](playbook.md#step)",
    ParamType.FIELDS: "a map of [inputs](playbook.md#input)",
}
_STREAMS = {Stream.NONE: "nothing", Stream.BYTES: "bytes", Stream.RECORDS: "records"}


def _streams(spec: ModuleSpec) -> str:
    if spec.stream_in is spec.stream_out is Stream.NONE:
        return "No streams."
    return f"Streams: takes {_STREAMS[spec.stream_in]}, gives {_STREAMS[spec.stream_out]}."


def _code(text: str | None) -> str:
    """A piece of a playbook within a line."""
    if text is None:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
