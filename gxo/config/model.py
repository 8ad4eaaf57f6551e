"""What the configuration says: where secrets come from, which modules there are beside gxo's."""

from enum import StrEnum

from gxo.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """systemd's stores of credentials (systemd.exec(5), LoadCredential=), encrypted ones too."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that root alone may enter, one file a secret."""

    path: str = "/etc/gxo/secrets"


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables of who starts a run: `prefix` and the secret's name in capitals."""

    prefix: str = "GXO_SECRET_"

    def variable(self, name: str) -> str:
        """The variable of a secret: what is no letter or digit is `_` there."""
        return self.prefix + "".join(c if c.isalnum() else "_" for c in name.upper())


@dataclass(frozen=True, slots=True)
class Program:
    """A program that writes the secret whose name is its last argument; `timeout` in seconds."""

    argv: tuple[str, ...]
    timeout: float = 10.0


Provider = Credentials | Directory | Environment | Program


class ModulePolicy(StrEnum):
    """What becomes of a module from outside that no configured key has signed."""

    ENFORCE = "enforce"
    """It does not run."""
    WARN = "warn"
    """It runs, and the run says so."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Modules:
    """Modules from outside the library: where they lie, and the files of the keys that count."""

    paths: tuple[str, ...] = ("/etc/gxo/modules",)
    policy: ModulePolicy = ModulePolicy.ENFORCE
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of it; without a file, this default."""

    providers: tuple[Provider, ...] = (Credentials(), Directory(), Environment())
    modules: Modules = Modules()
