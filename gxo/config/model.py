"""What the configuration says: where secrets come from."""

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


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of it; without a file, this default."""

    providers: tuple[Provider, ...] = (Credentials(), Directory(), Environment())
