"""http:request in runs on a real systemd, in the sandboxes that a step may have."""

from collections.abc import Iterator

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, summaries, use

PORT = 8123


@pytest.fixture
def site(machine: Machine) -> Iterator[str]:
    """A server on the machine's loopback."""
    machine.gxo("setup", check=True)
    machine.write("/srv/site/v.json", '{"version": "1.2", "half": "\\ud83d"}')
    serve = ("python3", "-m", "http.server", "--bind", "127.0.0.1", "-d", "/srv/site", str(PORT))
    machine.run("systemd-run", "--unit=test-site", "--collect", *serve, check=True)
    yield f"http://127.0.0.1:{PORT}"
    machine.run("systemctl", "stop", "test-site.service", check=True)


def test_a_request_in_a_run(machine: Machine, site: str) -> None:
    """What came is read by others; a bad status fails; `strict` has no network to ask in."""
    tried = "retry: {attempts: 100, delay: 50ms}, "
    ran = run(
        machine,
        use("get", "http:request", tried, url=f"{site}/v.json")
        + use("held", "control:assert", that='{{ eq .get.json.version "1.2" }}')
        + use("read", "control:identity", value="{{ (fromJson .get.body).half }}")
        + use("gone", "http:request", "needs: [get], ignore_errors: true, ", url=f"{site}/none")
        + use("alone", "http:request", "needs: [get], ignore_errors: true, "
              "security_context: {profile: strict, allow_degraded: true}, ", url=f"{site}/v.json"),
    )  # fmt: skip
    assert (ran.code, ran.steps["get"], ran.steps["held"]) == (1, "Completed", "Completed")
    assert ran.details("gone")[-1].endswith("it answered 404 File not found")
    assert ran.details("alone")[-1].startswith(f"cannot ask {site}/v.json: ")
    found = summaries(machine, ran.id)
    assert found["gone"]["status"] == 404
    assert found["get"]["json"]["half"] == found["read"]["value"] == "\ufffd"
