"""What templates read and call, as edges and secrets are found."""

import pytest

from gxo.source import Name
from gxo.template.names import references, secrets, uses
from gxo.template.value import ListValue, MapValue, Value
from tests.unit.template_support import parsed

READS: dict[str, list[tuple[str | int, ...]]] = {
    "plain": [],
    "{{ 1 }}": [],
    "{{ .a }}": [("a",)],
    "{{ .reg.stdout }}": [("reg", "stdout")],
    "{{ $.reg.items.0.id }}": [("reg", "items", 0, "id")],
    "{{ ._gxo.workloads.my-task.status }}": [("_gxo", "workloads", "my-task", "status")],
    "{{ _gxo.run.id }}": [("_gxo", "run", "id")],
    "{{ . }}": [()],
    "{{ $ }}": [()],
    "{{ toJson . }}": [()],
    "{{ .a | default .b }}": [("b",), ("a",)],
    "{{ .a == .b && !.c }}": [("a",), ("b",), ("c",)],
    "{{ (.a.b).c }}": [("a", "b", "c")],
    "{{ (upper .a).b }}": [("a",)],
    '{{ index .a "b" 0 }}': [("a", "b", 0)],
    '{{ index ._gxo.workloads "x" "status" }}': [("_gxo", "workloads", "x", "status")],
    "{{ index .a .b }}": [("a",), ("b",)],
    '{{ get .a "b" }}': [("a", "b")],
    '{{ get .a "b" .c }}': [("a",), ("c",)],
    "{{ if .a }}{{ .b }}{{ else if .c }}{{ .d }}{{ else }}{{ .e }}{{ end }}": [
        ("a",), ("b",), ("c",), ("d",), ("e",),
    ],
    "{{ range .a }}{{ . }}{{ .b }}{{ $.c }}{{ end }}": [("a",), ("c",)],
    "{{ range .a }}{{ else }}{{ .b }}{{ end }}": [("a",), ("b",)],
    "{{ range $i, $x := .a }}{{ $x.b }}{{ $i }}{{ end }}": [("a",)],
    "{{ with .a }}{{ .b }}{{ if .c }}{{ .d }}{{ end }}{{ else }}{{ .e }}{{ end }}": [
        ("a",), ("e",),
    ],
    "{{ with .a }}{{ ._gxo.run.id }}{{ end }}": [("a",), ("_gxo", "run", "id")],
    "{{ $x := .a }}{{ $x.b }}": [("a",)],
    "{{ range .a }}{{ range .b }}{{ .c }}{{ end }}{{ end }}": [("a",)],
}  # fmt: skip


@pytest.mark.parametrize("written", READS)
def test_references(written: str) -> None:
    """Each free name that is read is found, with its path as far as it is known."""
    value, _ = parsed(written)
    assert [reference.path for reference in references(value)] == READS[written]


def test_references_have_their_places() -> None:
    """A reference's span is the path as written."""
    written = "x {{ .reg.stdout }} {{ $.b }}"
    value, _ = parsed(written)
    assert [written[r.span.start : r.span.end] for r in references(value)] == [
        ".reg.stdout",
        "$.b",
    ]


def test_all_of_a_value_is_searched() -> None:
    """Templates in lists and maps are found, in order."""
    first, _ = parsed("{{ .a }}")
    second, _ = parsed('{{ secret "s" | upper }}')
    span = first.span
    value: Value = MapValue(((Name("k", span), ListValue((first, second), span)),), span)
    assert [reference.path for reference in references(value)] == [("a",)]
    assert [use.function for use in uses(value)] == ["upper", "secret"]


def test_secrets() -> None:
    """Every call of `secret` is found, also where it may not come to be called."""
    value, _ = parsed('{{ if .a }}{{ secret "one" }}{{ else }}{{ print (secret .b) }}{{ end }}')
    assert [use.argument for use in secrets(value)] == ["one", None]
    assert str(secrets(value)[0].span) == "playbook.yaml:1:15"
