"""A root filesystem of a workload's own: what it sees of the host, and where it may write."""

import pytest

from tests.lab.machine import Machine

# a tree with a shell and little else
TREE = r"""
set -e
cd /srv; mkdir root; cd root; mkdir -p proc sys dev run tmp var/tmp var/lib etc usr; cd ..
for program in /bin/sh /bin/touch /bin/cat; do
  for file in $(readlink -f $program) $(ldd $program | grep -o '/[^ ]*'); do
    cp -L --parents $file root
  done
  mkdir -p root/bin; [ -e root$program ] || cp -L $program root$program
done
echo of the tree >root/etc/mark; mkdir -m 1777 root/open; chmod -R a+rX root
"""
ATTEMPT = (
    "cat /etc/mark; touch NAME && echo works here; touch /tmp/there && echo works in tmp;"
    " touch /open/NAME && echo writes the tree;"
    " read line </etc/machine-id && echo sees the host; true"
)
CONTEXTS = {
    "outside": "{profile: host}",
    "default": "{root_filesystem: {path: /srv/root}}",
    "strict": "{profile: strict, root_filesystem: {path: /srv/root}}",
    "host": "{profile: host, root_filesystem: {path: /srv/root}}",
    "granted": "{root_filesystem: {path: /srv/root}, read_write_paths: [/open]}",
    "writable": "{user: daemon, root_filesystem: {path: /srv/root, read_only: false}}",
    "host-writable": "{profile: host, root_filesystem: {path: /srv/root, read_only: false}}",
}
WRITES = {"granted", "writable", "host-writable"}
WORKLOAD = """  - name: {name}
    lifecycle: {{policy: run_once}}
    security_context: {context}
    process: {{module: exec, params: {{shell: true, command: "{command}"}}}}
"""


@pytest.mark.parametrize("verb", ["run", "apply"])
def test_a_tree_in_place_of_the_hosts(machine: Machine, verb: str) -> None:
    """It sees the tree alone, writes in its workspace, and in the tree only where it may."""
    if not machine.exists("/srv/root"):
        machine.run("sh", "-c", TREE, check=True)
    workloads = [
        WORKLOAD.format(
            name=name, context=context, command=ATTEMPT.replace("NAME", f"{verb}-{name}")
        )
        for name, context in CONTEXTS.items()
    ]
    playbook = f"rooted-{verb}"
    path = machine.write(f"/srv/{playbook}.yaml", "workloads:\n" + "".join(workloads))
    done = machine.gxo(verb, *(["--yes"] if verb == "apply" else []), path)
    assert done.returncode == 0, done.stderr
    said = {
        name: {
            line
            for line in machine.journal(f"GXO_PLAYBOOK={playbook}", f"GXO_WORKLOAD={name}").split(
                "\n"
            )
            if line.startswith(("of the", "works", "writes", "sees"))
        }
        for name in CONTEXTS
    }
    within = {"of the tree", "works here"}
    expected = {
        name: {"works here", "works in tmp", "sees the host"}
        if name == "outside"
        else within | {"works in tmp"} | ({"writes the tree"} if name in WRITES else set())
        for name in CONTEXTS
    }
    expected["host"] -= {"works in tmp"}
    assert said == expected, machine.journal(f"GXO_PLAYBOOK={playbook}")
