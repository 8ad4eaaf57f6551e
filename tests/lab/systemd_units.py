"""Services for the tests of the systemd room, as bare properties."""

from gxo.units.model import Property


def service(script: str, *extra: tuple[str, str, object]) -> list[Property]:
    """A service that runs a shell script, with further (name, signature, value) properties."""
    command = [("/bin/sh", ["sh", "-c", script], False)]
    own = [Property(*triple) for triple in extra]
    return [*own, Property("ExecStart", "a(sasb)", command)]


ONESHOT = ("Type", "s", "oneshot")
FIELDS = ("LogExtraFields", "aay", [b"GXO_PLAYBOOK=site", b"GXO_WORKLOAD=web"])
