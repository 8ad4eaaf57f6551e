"""Secrets in runs: they reach the program, and nobody else."""

import json
import signal
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from secrets import token_hex

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import Ran, run, steps, summaries

MASK = "[REDACTED_SECRET]"
PLACES = ("/etc/gxo", "/etc/credstore", "/etc/credstore.encrypted", "/run/credstore")


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> Iterator[None]:
    """The host is set up; no secret of one test is there for another."""
    machine.gxo("setup", check=True)
    yield
    machine.run("rm", "-rf", *PLACES, "/srv/out", check=True)


def secret(machine: Machine, name: str, value: str, place: str = "/etc/gxo/secrets") -> None:
    """Put one where root alone may read it."""
    machine.run("install", "-d", "-m", "0700", place, check=True)
    machine.write(f"{place}/{name}", value, 0o600)


def step(name: str, extra: str = "", **params: object) -> str:
    """A run_once workload of `exec` with these params."""
    return (
        f"  - {{name: {name}, {extra}lifecycle: {{policy: run_once}},"
        f" process: {{module: exec, params: {json.dumps(params)}}}}}\n"
    )


def work(name: str, module: str, extra: str = "", **params: object) -> str:
    """The same, of another module."""
    return step(name, extra, **params).replace("module: exec", f"module: '{module}'")


def shell(name: str, line: str, extra: str = "", **params: object) -> str:
    """The same, of a line of shell."""
    return step(name, extra, command=line, shell=True, **params)


def told(ran: Ran) -> str:
    """All that was told in words."""
    return "\n".join(f"{e['step']}: {e['detail']}" for e in ran.events if e["detail"])


def test_it_reaches_the_program(machine: Machine) -> None:
    """As a variable and on stdin, byte for byte; all else of the process is as without it."""
    value = 'it\'s "a" $HOME %n\\n {{ .b }} é\nand a line'
    secret(machine, "token", value)
    look = (
        "{ cat /proc/self/environ | tr '\\0' '\\n' | grep -Ev 'TOKEN|_ID=|_PID=|and a line' | sort;"
        " grep -v core /proc/$$/limits; umask; ls /proc/$$/fd; id; pwd; cat /dev/stdin; cat;"
        " grep -E 'Sig[CI]|Cap|NoNew|Seccomp:' /proc/$$/status; } >"
    )
    env = ["A=b", "TOKEN={{ secret 'token' }}"]
    digest = sha256(value.encode()).hexdigest()
    digested = "sha256sum | cut -d' ' -f1"
    ran = run(
        machine,
        shell("plain", f"{look} plain", environment=["A=b"], stdin="in\n")
        + shell("hidden", f"{look} hidden", environment=env, stdin="in\n")
        + shell("same", "diff plain hidden && grep -q ^A=b plain", "needs: [plain, hidden], ")
        + shell("none", "test ! -s /proc/self/fd/0 && test -c /dev/stdin", environment=env)
        + shell("value", f'printf %s "$TOKEN" | {digested}', "register: value, ", environment=env)
        + shell("stdin", digested, "register: stdin, ", stdin="{{ secret 'token' }}")
        + shell("both", 'test "$TOKEN" = "$(cat)" && test "$(cat /dev/stdin)" = "$TOKEN"',
                environment=env, stdin="{{ secret 'token' }}")
        + step("words", "register: words, ", command="printf", args=["%s|", "a b", "$A", "é", ""],
               environment=env)
        + shell("check", f"test {{{{ .value.stdout }}}} = {digest} &&"
                f" test {{{{ .stdin.stdout }}}} = {digest} &&"
                " test {{ squote .words.stdout }} = 'a b|$A|é||'"),
    )  # fmt: skip
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), told(ran)


def fresh(kind: str) -> str:
    """A secret that stands nowhere else, and in whose letters capitals and small ones differ."""
    return f"{kind}-{token_hex(12)}-zZ"


def seen_by_anybody(machine: Machine, unit: str) -> str:
    """What a user without rights reads of a unit that runs, and root in the file of it."""
    show = machine.run("systemctl", "show", "--all", unit, user="nobody").stdout
    assert f"Id={unit}" in show
    bus = machine.run(
        "sh", "-c",
        'p=$(busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1'
        ' org.freedesktop.systemd1.Manager GetUnit s "$1" | cut -d \'"\' -f 2);'
        ' busctl call org.freedesktop.systemd1 "$p" org.freedesktop.DBus.Properties GetAll s ""',
        "sh", unit, user="nobody", check=True,
    ).stdout  # fmt: skip
    argv = machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    files = machine.run("sh", "-c", "cat /run/systemd/transient/*").stdout
    assert all("BindsTo" in said for said in (show, bus, files))
    return show + bus + argv + files


def kept(machine: Machine, *values: str) -> str:
    """The places on the machine where any of the values lies, other than those of the providers."""
    machine.run("journalctl", "--sync")
    patterns = "\n".join(values)
    files = machine.run("grep", "-r", "-l", "-a", "-s", "-F", "-f", "-", "-D", "skip",
                        "/var/lib/gxo", "/run", "/var/log", "/tmp", "/var/tmp",
                        input=patterns).stdout  # fmt: skip
    journal = machine.run("journalctl", "--output=export", "--no-pager").stdout
    return files + "".join(f"the journal: {value}\n" for value in values if value in journal)


def test_nobody_else_has_it(machine: Machine) -> None:
    """Not those who ask systemd or read /proc while it runs; nothing on disk; no output."""
    value = fresh("quiet")
    secret(machine, "quiet", value)
    both = {"environment": ["T={{ secret 'quiet' }}"], "stdin": "{{ secret 'quiet' }}\n"}
    wait = 'read -r line; echo "$T $line"; echo up > /srv/out/$0; sleep 30'
    open_ = "security_context: {read_write_paths: [/srv/out]}, "
    machine.run("install", "-d", "-m", "0777", "/srv/out")
    path = machine.write(
        "/srv/quiet.yaml",
        "name: quiet\nworkloads:\n"
        + step("carried", open_, command="/bin/sh", args=["-c", wait, "carried"], **both)
        + step("piped", open_, command="/bin/sh", args=["-c", wait, "piped"], stdin=both["stdin"]),
    )
    with machine.popen(*machine.gxo_argv("run", path), env=machine.gxo_env) as process:
        names = ("/srv/out/carried", "/srv/out/piped")
        assert until(lambda: all(map(machine.exists, names)), 30)
        units = steps(machine)
        assert len(units) == 2
        run_id = units[0].split("-")[1].split(".")[0]
        runner = f"gxo-run-{run_id}.service"
        assert machine.show(runner, "LimitCORE") == {"LimitCORE": "1"}
        for unit in units:
            assert value not in seen_by_anybody(machine, unit)
            assert machine.show(unit, "LimitCORE") == {"LimitCORE": "1"}
        assert kept(machine, value) == ""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert value not in out + err
    assert kept(machine, value) == ""


def test_it_is_masked_in_all_that_is_said(machine: Machine) -> None:
    """Also when a step fails, is tried again or takes too long; whole, in two writes, derived;
    across the 48 KiB after which a line is split, and beside a NUL; on all error paths.
    """
    value, lines = fresh("loud"), f"{fresh('one')}\n{fresh('two')}\n"
    data = json.dumps({"user": fresh("user"), "pin": 48151623})
    long = fresh("long") + token_hex(300)
    secrets = {"loud": value, "lines": lines, "data": data, "long": long, "x": "x", "no": ""}
    for name, text in secrets.items():
        secret(machine, name, text)
    env, go_on = ["T={{ secret 'loud' }}"], "ignore_errors: true, "
    half, marker = len(value) // 2, fresh("no-secret")
    split = f'a=$(printf %.{half}s "$T"); printf %s "$a"; sleep 0.2; printf "%s\\n" "${{T#"$a"}}"'
    wide = r"""head -c 49140 /dev/zero | tr '\0' x; printf '%s\nnul\0%s\0\n' "$T" "$T" """
    derived = ["U={{ upper (secret 'loud') }}", "B={{ secret 'loud' | b64enc }}",
               "S={{ sha256 (secret 'loud') }}",
               "P={{ $d := fromJson (secret 'data') }}{{ $d.user }} {{ $d.pin }}"]  # fmt: skip
    ran = run(
        machine,
        shell("fails", 'echo "$T"; echo "$T" >&2; exit 3', go_on, environment=env)
        + shell("tried", 'echo "tried $T" >&2; exit 4',
                f"retry: {{attempts: 2, delay: 10ms}}, {go_on}", environment=env)
        + shell("slow", 'echo "slow $T"; sleep 9', f"timeout: 500ms, {go_on}", environment=env)
        + shell("split", split, "register: split, ", environment=env)
        + shell("wide", wide, environment=env)
        + shell("lines", f'echo {marker}; echo "$L"; echo "$L" | tail -n 1',
                "register: lines, ", environment=["L={{ secret 'lines' }}"])
        + shell("derived", 'echo "$U|$B|$S|$P"', environment=derived)
        + shell("looped", 'echo "$T{{ .item }}"', "loop: [a, b], register: rows, ", environment=env)
        + shell("when", 'test "$(cat)" = "{{ .split.stdout }}"',
                f"when: '{{{{ eq .split.stdout \"{MASK}\" }}}}', ",
                stdin="{{ .split.stdout }}")
        + shell("json", "true", go_on, environment=["J={{ (fromJson (secret 'loud')).x }}"])
        + shell("key", "true", go_on, environment=["J={{ (fromJson (secret 'data')).nothing }}"])
        + shell("regex", "true", go_on,
                environment=["J={{ regexMatch (secret 'loud' | print `(`) `x` }}"])
        + shell("bare", "true", go_on, environment=["{{ secret 'loud' }}=1"])
        + work("far", "http:request", go_on, url="http://127.0.0.1:1/?t={{ secret `long` }}")
        + work("text", "http:request", go_on, url="http://127.0.0.1:1/",
               headers="{{ print `Bearer ` (secret `long`) }}")
        + work("write", "filesystem:write", path="f", content="{{ secret `loud` }}!", mode="0600")
        + work("read", "filesystem:read", "needs: [write], register: read, ", path="f")
        + work("same", "control:assert", that=f"{{{{ eq .read.content `{MASK}!` }}}}")
        + shell("short", 'test "$X$N" = x && echo box', "register: short, ",
                environment=["X={{ secret 'x' }}", "N={{ secret 'no' }}"])
        + shell("box", "test '{{ .short.stdout }}' = box"),
        "--jobs", "3",
    )  # fmt: skip
    escape = run(machine, work("escape", "filesystem:read", path="../{{ secret `loud` }}"))
    assert f"cannot read ../{MASK}: it leads out of" in told(escape)
    one, two = lines.split()
    hidden = (value, value[: half + 2], value[12:], long[:20], one, two,
              json.loads(data)["user"], "48151623", value.upper(),
              b64encode(value.encode()).decode(),
              sha256(value.encode()).hexdigest())  # fmt: skip
    everything = "".join(map(json.dumps, ran.events)) + ran.stderr
    for args in (("runs", "show", ran.id), ("runs", "show", "--json", ran.id), ("logs", ran.id)):
        everything += machine.gxo(*args, check=True).stdout
    assert [part for part in hidden if part in everything] == []
    assert kept(machine, *hidden) == ""
    found = kept(machine, marker)
    assert "the journal" in found
    assert "state.db" in found
    done = [n for n in ("split", "lines", "derived", "looped", "when", "short", "box",
                          "wide", "write", "read", "same")
            if ran.steps.get(n) == "Completed"]  # fmt: skip
    assert len(done) == 11, told(ran)
    for name in ("fails", "tried", "slow", "json", "key", "regex", "bare", "far", "text"):
        assert ran.steps[name] == "Failed"
        assert ran.details(name)[-1]
    lines_of = machine.gxo("logs", ran.id, "derived", check=True).stdout
    assert f"{MASK}|{MASK}|{MASK}|{MASK} {MASK}\n" in lines_of
    assert machine.gxo("logs", ran.id, "wide", check=True).stdout.count(MASK) == 2


def test_each_provider(machine: Machine) -> None:
    """Credentials, encrypted ones, a directory, the caller's environment, a command; in order."""
    values = {name: fresh(name) for name in ("plain", "sealed", "file", "my-var", "asked")}
    secret(machine, "plain", values["plain"] + "\n", "/etc/credstore")
    machine.run("install", "-d", "-m", "0700", "/etc/credstore.encrypted", check=True)
    machine.run("systemd-creds", "encrypt", "--with-key=host", "--name=sealed", "-",
                "/etc/credstore.encrypted/sealed", input=values["sealed"], check=True)  # fmt: skip
    secret(machine, "file", values["file"] + "\n")
    secret(machine, "plain", "later ones are not asked")
    machine.write("/etc/gxo/ask", f"#!/bin/sh\ntest $1 = asked && echo {values['asked']}\n", 0o700)

    def check(name: str, value: str) -> str:
        used = (
            "{{ secret (print `my-` `var`) }}" if name == "my-var" else f"{{{{ secret `{name}` }}}}"
        )
        digest = sha256(value.encode()).hexdigest()
        line = f'printf %s "$V" | sha256sum | grep -q {digest}'
        return shell(name, line, environment=[f"V={used}"])

    playbook = "name: each\nworkloads:\n" + "".join(check(*each) for each in values.items())
    path = machine.write("/srv/each.yaml", playbook)
    mine = {"GXO_SECRET_MY_VAR": values["my-var"], "OTHER": "x"}
    done = machine.gxo("run", path, env=mine)
    assert done.returncode == 1
    reason = (
        "there is no secret `asked`: no credential `asked` in /etc/credstore, /run/credstore,"
        " /etc/credstore.encrypted, /run/credstore.encrypted; no file `asked` in /etc/gxo/secrets;"
        " no variable `GXO_SECRET_ASKED` in the environment"
    )
    assert reason in done.stdout
    assert done.stdout.count("failed    ") == 2, done.stdout
    providers = "{type: credentials}, {type: directory}, {type: environment, prefix: MINE_}"
    config = machine.write(
        "/etc/gxo/config.yaml",
        f"secrets: {{providers: [{providers}, {{type: command, argv: [/etc/gxo/ask]}}]}}\n",
    )
    mine = {"MINE_MY_VAR": values["my-var"]}
    for env in (mine, mine | {"GXO_CONFIG": config}):
        done = machine.gxo("run", path, env=env)
        assert done.returncode == 0, done.stdout
    assert kept(machine, *values.values()) == ""


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        (
            "open",
            "{type: directory, path: /srv/open}",
            "/srv/open is accessible to users other than root; run",
        ),
        ("../file", "{type: directory}", "that is not a valid name for a secret"),
        ("-x", "{type: directory}", "that is not a valid name for a secret"),
        (
            "any",
            "{type: command, argv: [/bin/sh, -c, sleep 9 & sleep 9], timeout: 200ms}",
            "within 0.2 s",
        ),
        ("any", "{type: command, argv: [/no/such]}", "`/no/such` cannot be run: No such file"),
        ("any", "{type: command, argv: [/bin/printf, '\\377', --]}", "is not UTF-8 text"),
        ("any", "", "there is no secret `any`: no provider is configured"),
    ],
)
def test_refused_secrets(machine: Machine, name: str, config: str, reason: str) -> None:
    """A provider that cannot be trusted or asked fails the step, and no later one is asked."""
    secret(machine, "open", "in the open", "/srv/open")
    machine.run("chmod", "0755", "/srv/open", check=True)
    rest = f"{config}, {{type: environment}}" if config else ""
    machine.write("/srv/config.yaml", f"secrets: {{providers: [{rest}]}}\n")
    path = machine.write(
        "/srv/refused.yaml",
        "name: refused\nworkloads:\n"
        + step("a", command="/bin/true", environment=[f"A={{{{ secret `{name}` }}}}"]),
    )
    env = {"GXO_CONFIG": "/srv/config.yaml", "GXO_SECRET_OPEN": "x", "GXO_SECRET_ANY": "x"}
    done = machine.gxo("run", path, env=env)
    assert done.returncode == 1
    assert reason in done.stdout


def test_where_a_secret_cannot_stand(machine: Machine) -> None:
    """In a command line, a condition, a loop: a problem with its place."""
    used = "{{ secret `x` }}"
    wrong = {
        "command": shell("a", f"echo {used}"),
        "args": step("a", command="/bin/echo", args=[used]),
        "when": shell("a", "true", f"when: '{used}', "),
        "loop": shell("a", "true", f"loop: ['{used}'], "),
    }
    for what, workloads in wrong.items():
        path = machine.write("/srv/wrong.yaml", f"name: wrong\nworkloads:\n{workloads}")
        done = machine.gxo("run", path)
        assert done.returncode == 1, what
        assert "/srv/wrong.yaml:3:" in done.stderr, what
        assert "secret" in done.stderr, what
    machine.write("/etc/gxo/config.yaml", "secrets:\n  provider: []\n")
    path = machine.write("/srv/wrong.yaml", "name: wrong\nworkloads:\n"
                         + step("a", command="/bin/true", stdin=used))  # fmt: skip
    done = machine.gxo("run", path)
    assert done.returncode == 1
    assert "`secrets` has no key `provider`" in done.stderr
    assert "/etc/gxo/config.yaml:2:3" in done.stderr


def test_exit_codes_are_those_without_a_secret(machine: Machine) -> None:
    """Statuses, signals, programs that are not there or cannot be run."""
    machine.write("/srv/data", "no program", 0o644)
    commands = {"status": "exit 7", "signal": "kill -9 $$"}
    programs = ("/no/such", "no-such-program", "/srv/data", "/srv")

    def workloads(**params: object) -> str:
        return "".join(
            [shell(name, line, "ignore_errors: true, ", **params)
             for name, line in commands.items()]
            + [step(f"p{n}", "ignore_errors: true, ", command=program, **params)
               for n, program in enumerate(programs)]
        )  # fmt: skip

    secret(machine, "token", fresh("t"))
    plain = run(machine, workloads())
    hidden = run(machine, workloads(environment=["T={{ secret `token` }}"]))
    names = (*commands, *(f"p{n}" for n in range(len(programs))))
    ends = {name: hidden.details(name)[-1] for name in names}
    assert ends == {name: plain.details(name)[-1] for name in names}
    assert ends["p0"] == "it exited with status 203: its program cannot be run or found"
    assert "cannot run /no/such: No such file or directory" in told(hidden)


def test_a_service_that_a_run_holds_up(machine: Machine) -> None:
    """It has its secrets, also the caller's, and no others, and nobody else has them; what it
    writes is masked.
    """
    value, other = fresh("held"), fresh("other")
    env = {"GXO_SECRET_MINE": value, "GXO_SECRET_OTHER": other}
    machine.run("install", "-d", "-m", "0777", "/srv/out")
    served = shell(
        "served", 'echo "got $T"; printf %s "$T" | sha256sum >/srv/out/sum;'
        ' chmod 644 /srv/out/sum; exec sleep 1000',
        "needs: [before], security_context: {read_write_paths: [/srv/out]}, ",
        environment=["T={{ secret `mine` }}"],
    ).replace("{policy: run_once}", "{policy: supervise, ready: {settle: 500ms}}")  # fmt: skip
    before = shell("before", "true", environment=["T={{ secret `other` }}"])
    digest = sha256(value.encode()).hexdigest()
    look = f"until grep -q {digest} /srv/out/sum; do sleep 0.1; done; sleep 3"
    path = machine.write("/srv/held.yaml", f"name: held\nworkloads:\n{before}{served}"
                         + shell("look", look, "needs: [served], "))  # fmt: skip
    with machine.popen(*machine.gxo_argv("run", path), env=machine.gxo_env | env) as process:
        assert until(lambda: any(".served." in unit for unit in steps(machine)), 30)
        (unit,) = (unit for unit in steps(machine) if ".served." in unit)
        assert value not in seen_by_anybody(machine, unit)
        handed = machine.run("sh", "-c", "cat /run/gxo/credentials/*", check=True).stdout
        assert (value in handed, other in handed) == (True, False)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert f"got {MASK}\n" in machine.journal("-u", unit)
    assert kept(machine, value) == ""
    assert machine.run("ls", "-A", "/run/gxo/credentials", check=True).stdout == ""


def test_stdout_forging_a_summary_or_a_state_key(machine: Machine) -> None:
    """What a program prints is text, whatever it looks like, and a mask in it stays one."""
    value = fresh("forged")
    secret(machine, "token", value)
    forged = {"summary": {"exit_code": 0, "stdout": "mine"}, "registered": {"other": MASK}}
    line = f"echo '{json.dumps(forged)}'; echo \"$T {MASK}\""
    ran = run(
        machine,
        shell("lies", line, "register: lies, ", environment=["T={{ secret `token` }}"])
        + work("check", "control:assert", that="{{ contains `registered` .lies.stdout }}"),
    )  # fmt: skip
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), told(ran)
    found = summaries(machine, ran.id)
    assert found["lies"]["stdout"] == f"{json.dumps(forged)}\n{MASK} {MASK}"
    assert set(found) == {"lies", "check"}
