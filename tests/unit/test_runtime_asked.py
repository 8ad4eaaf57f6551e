"""What a worker is asked: params evaluated, but for what it evaluates for each record itself."""

from typing import Any

import pytest

from gxo.modules.table import libraries
from gxo.runtime.command import BadParams
from gxo.runtime.python import NoPython, library_dir
from gxo.spec.library import LIBRARY
from tests.unit.flowing import params


def test_a_template_goes_with_what_it_reads_and_no_more() -> None:
    """Names of the playbook, secrets and variables; not what the module sets."""
    to = {"a": '{{ .record.x }}{{ .own.deep }}{{ secret "key" }}{{ env "HOME" }}{{ .index }}'}
    asked = params("data:map", {"to": to, "items": []}, own={"deep": 1}, other=2)
    told: Any = asked["to"]
    assert told["names"] == {"own": {"deep": 1}}
    assert (told["secrets"], told["environment"]) == ({"key": "<key>"}, {"HOME": "$HOME"})
    assert asked["items"] == []


def test_the_steps_of_a_pipeline_are_asked_as_modules_are() -> None:
    """Their params typed, their conditions evaluated, their templates left."""
    steps = [
        {"uses": "data:join", "when": "{{ .no }}", "with": {"on": ["k"], "with": "{{ .right }}"}},
        {"id": "b", "uses": "data:map", "needs": ["a"], "with": {"to": "{{ .record.x }}"}},
    ]
    asked = params("stream:pipeline", {"steps": steps}, no=False, right=[{"k": 1}])
    found: Any = asked["steps"]
    assert found[0]["when"] is False
    assert found[0]["with"]["with"] == [{"k": 1}]
    assert found[0]["with"]["max_build_records"] == 1_000_000
    assert (found[1]["id"], found[1]["needs"], found[1]["when"]) == ("b", ["a"], True)
    assert set(found[1]["with"]["to"]) >= {"value", "names", "secrets"}


@pytest.mark.parametrize("module", ["data:map", "stream:pipeline"])
def test_a_secret_in_records_needs_a_stream(module: str) -> None:
    """What is made of it would stand in the summary, where nothing could know it."""
    to = {"to": '{{ secret "key" | upper }}', "items": []}
    given: dict[str, Any] = to
    if module == "stream:pipeline":
        given = {"steps": [{"uses": "data:map", "with": to}]}
    with pytest.raises(BadParams, match="a secret in `to` of `data:map` needs a workload that"):
        params(module, given, streams=False)
    assert params(module, given, streams=True)


def test_a_secret_in_a_condition_needs_none() -> None:
    """A condition may read a secret, since only a truth comes of it."""
    where = {"where": '{{ eq .record.a (secret "key") }}', "items": []}
    assert params("data:filter", where, streams=False)["where"]


def test_libraries_are_named_or_missed_in_words() -> None:
    """Each that a module needs is installed; one that is not is told of."""
    for module in LIBRARY:
        for name in libraries(module):
            assert library_dir(name).endswith(f"/{name}")
    with pytest.raises(NoPython, match="cannot find the Python package nosuch: install it"):
        library_dir("nosuch")
