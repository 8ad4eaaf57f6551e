"""THE table of the configuration's keys: what each takes, its default, doc and example."""

from collections.abc import Mapping
from enum import StrEnum

from gxo.dataclass import dataclass


class Takes(StrEnum):
    """What a key takes, in the words of messages and of the reference."""

    PATH = "an absolute path"
    PREFIX = "letters, digits and `_`, not beginning with a digit"
    COMMAND = "a list of texts, of which the first is the absolute path of a program"
    DURATION = "a duration such as `10s`"
    PROVIDERS = "a list of providers"
    PATHS = "a list of absolute paths"
    POLICY = "`enforce` or `warn` or `off`"
    SECTION = "a map"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key; `default` and `example` as the file writes them, no default: it is required."""

    name: str
    takes: Takes
    doc: str
    example: str
    default: str | None = None


TOP = (
    Key(
        name="secrets",
        takes=Takes.SECTION,
        doc='Where `{{ secret "name" }}` looks.',
        example="{providers: [{type: directory}]}",
        default="{}",
    ),
    Key(
        name="modules",
        takes=Takes.SECTION,
        doc="Modules from outside the library.",
        example="{keys: [/etc/gxo/keys/release.pub]}",
        default="{}",
    ),
)
SECRETS = (
    Key(
        name="providers",
        takes=Takes.PROVIDERS,
        doc="Which providers are asked for a secret, in this order; the first that has it wins.",
        example="[{type: directory, path: /etc/site/secrets}]",
        default="[{type: credentials}, {type: directory}, {type: environment}]",
    ),
)
MODULES = (
    Key(
        name="paths",
        takes=Takes.PATHS,
        doc="Directories in which each directory that holds a `module.yaml` is a module.",
        example="[/etc/gxo/modules, /opt/site/modules]",
        default="[/etc/gxo/modules]",
    ),
    Key(
        name="policy",
        takes=Takes.POLICY,
        doc=(
            "What happens to a module that none of the `keys` has signed: `enforce` does not run"
            " it, `warn` runs it and says so, `off` runs it."
        ),
        example="warn",
        default="enforce",
    ),
    Key(
        name="keys",
        takes=Takes.PATHS,
        doc=(
            "Files of public keys, one PEM each, ECDSA on P-256, as `cosign generate-key-pair` and"
            " `openssl ec -pubout` write them. Root must own them, nobody else may write to them,"
            " and none may be among the modules. A signature by any of them counts, so that one key"
            " can replace another."
        ),
        example="[/etc/gxo/keys/2026.pub, /etc/gxo/keys/2027.pub]",
        default="[]",
    ),
)
_DOCS = {
    "credentials": (
        "systemd's own stores: a file of the secret's name in `/etc/credstore` or `/run/credstore`,"
        " or an encrypted one in `/etc/credstore.encrypted` or `/run/credstore.encrypted`, as"
        " `systemd-creds encrypt --name=NAME` writes it."
    ),
    "directory": (
        "A directory that root owns and nobody else may enter, with one file for each secret. It is"
        " refused if others may enter it."
    ),
    "environment": (
        "An environment variable of whoever calls `gxo run`: the prefix, then the secret's name in"
        " capitals, with `_` for anything that is not a letter or digit. Runs that nobody calls,"
        " such as those of a schedule, have none."
    ),
    "command": (
        "A program, run as root without a shell; the secret's name is its last argument. What it"
        " writes is the secret; an exit status other than 0 means that it has none."
    ),
}
PROVIDERS: Mapping[str, tuple[str, tuple[Key, ...]]] = {
    "credentials": (_DOCS["credentials"], ()),
    "directory": (
        _DOCS["directory"],
        (
            Key(
                name="path",
                takes=Takes.PATH,
                doc="The directory.",
                example="/etc/site/secrets",
                default="/etc/gxo/secrets",
            ),
        ),
    ),
    "environment": (
        _DOCS["environment"],
        (
            Key(
                name="prefix",
                takes=Takes.PREFIX,
                doc="What the names of the variables begin with.",
                example="SITE_",
                default="GXO_SECRET_",
            ),
        ),
    ),
    "command": (
        _DOCS["command"],
        (
            Key(
                name="argv",
                takes=Takes.COMMAND,
                doc="The program and its first arguments.",
                example="[/usr/bin/pass, show]",
            ),
            Key(
                name="timeout",
                takes=Takes.DURATION,
                doc="How long it may take; the run waits for it. At most five minutes.",
                example="30s",
                default="10s",
            ),
        ),
    ),
}
"""The types of providers: what each is, and its keys beside `type`."""
