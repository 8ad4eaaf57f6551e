"""gxo: a declarative automation kernel for Linux servers, a compiler to systemd."""
