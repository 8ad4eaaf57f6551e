"""The playbooks that are measured: a small one, and large ones of many services or steps."""

import json
from collections.abc import Sequence

SMALL = """\
vars:
  port: 8080
workloads:
  - name: content
    lifecycle: {policy: run_once}
    process:
      module: exec
      params: {command: /bin/sh, args: [-c, "echo hello > index.html"]}
  - name: web
    needs: [content]
    lifecycle:
      policy: supervise
      restart: on_failure
      backoff: {initial: 1s, max: 30s}
      ready: {when: "127.0.0.1:8080", settle: 1s}
    process:
      module: exec
      params:
        command: /usr/bin/python3
        args: [-m, http.server, --bind, 127.0.0.1, "{{ .port }}"]
    security_context:
      resources: {memory_max: 64M}
  - name: report
    lifecycle: {policy: scheduled, cron: "17 3 * * mon-fri", jitter: 5m}
    process:
      module: exec
      params: {command: /usr/bin/logger, args: [nightly]}
"""

_SERVICE = """\
  - name: service-{0}
    lifecycle:
      policy: supervise
      restart: on_failure
      backoff: {{initial: 1s, max: 30s}}
      stop_timeout: 20s
    process:
      module: exec
      params:
        command: /usr/bin/sleep
        args: ["{0}000", "--label={{{{ .region }}}}"]
        environment: [INSTANCE={0}, REGION=eu]
    security_context:
      resources: {{memory_max: 64M, tasks_max: 50}}
"""

_PLAIN = """\
  - name: service-{0}
    lifecycle: {{policy: supervise, ready: {{settle: 0s}}}}
    process: {{module: exec, params: {{command: /usr/bin/sleep, args: [infinity]}}}}
    security_context: {{profile: host}}
"""

_STEP = """\
  - name: step-{0}
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: /usr/bin/true}}}}
"""

_STREAMS = "name: bench\nsecurity_context: {profile: host}\nworkloads:\n"

_EXEC = """\
  - name: {name}
    lifecycle: {{policy: run_once}}
    stream_inputs: [{inputs}]
    process: {{module: exec, params: {{command: {command}, shell: true}}}}
"""

_RECORDS = """\
  - name: records
    lifecycle: {{policy: run_once}}
    stream_inputs: [{inputs}]
    process: {{module: '{module}', params: {params}}}
"""

_LUIGI = """\
import subprocess
import tempfile
from pathlib import Path
import luigi

DONE = Path(tempfile.mkdtemp())

class Step(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(DONE / str(self.number))

    def run(self):
        subprocess.run(["/usr/bin/true"], check=True)
        Path(self.output().path).touch()

class All(luigi.WrapperTask):
    def requires(self):
        return [Step(number=number) for number in range({count})]
"""


def services(count: int) -> str:
    """A playbook of that many services, as varied as a real one: templates, limits, back-off."""
    return "vars: {region: eu-1}\nworkloads:\n" + "".join(map(_SERVICE.format, range(count)))


def sleepers(count: int) -> str:
    """A playbook of services that only sleep, without a sandbox: what is left is the apply."""
    return "workloads:\n" + "".join(map(_PLAIN.format, range(count)))


def quadlets(count: int) -> dict[str, str]:
    """As many `.container` files, alike in content to `services`."""
    text = (
        "[Unit]\nDescription=service {0}\n\n[Container]\nImage=localhost/sleep:latest\n"
        "Exec=sleep {0}000 --label=eu-1\nEnvironment=INSTANCE={0}\nEnvironment=REGION=eu\n\n"
        "[Service]\nRestart=on-failure\nRestartSec=1s\nTimeoutStopSec=20s\nMemoryMax=64M\nTasksMax=50\n"
    )
    return {f"service-{n}.container": text.format(n) for n in range(count)}


def steps(count: int, *, profile: str, chained: bool) -> str:
    """A playbook of steps that do nothing, each after the one before it or all at once."""
    text = f"name: bench\nsecurity_context: {{profile: {profile}}}\nworkloads:\n"
    for number in range(count):
        needs = f"    needs: [step-{number - 1}]\n" if chained and number else ""
        text += _STEP.format(number) + needs
    return text


def fan(source: str, sinks: Sequence[str]) -> str:
    """A command whose stream goes to each of others."""
    readers = [
        _EXEC.format(name=f"sink-{number}", inputs="source", command=json.dumps(sink))
        for number, sink in enumerate(sinks)
    ]
    return (
        _STREAMS
        + _EXEC.format(name="source", inputs="", command=json.dumps(source))
        + "".join(readers)
    )


def through(module: str, params: str, sources: Sequence[str], sink: str) -> str:
    """Commands whose streams a module makes one of, which another command reads."""
    names = [f"source-{number}" for number in range(len(sources))]
    writers = [
        _EXEC.format(name=name, inputs="", command=json.dumps(source))
        for name, source in zip(names, sources, strict=True)
    ]
    records = _RECORDS.format(inputs=", ".join(names), module=module, params=params)
    reader = _EXEC.format(name="sink", inputs="records", command=json.dumps(sink))
    return _STREAMS + "".join(writers) + records + reader


def rivals(count: int, few: int) -> dict[str, str]:
    """As many tasks for make and luigi, and a few for ansible, by file name."""
    names = " ".join(f"t{number}" for number in range(count))
    task = "      - command: /usr/bin/true\n"
    return {
        "Makefile": f".PHONY: all {names}\nall: {names}\n{names}:\n\t@/usr/bin/true\n",
        "tasks.py": _LUIGI.format(count=count),
        "tasks.yaml": "- hosts: all\n  gather_facts: false\n  tasks:\n" + task * few,
    }
