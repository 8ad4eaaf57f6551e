"""What a Linux host has fixed names for: capabilities, groups of system calls, networks, users."""

from collections.abc import Mapping

# linux/capability.h, as of Linux 6.12
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"
    " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO"
    " SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME"
    " SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG"
    " WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
CAPABILITIES = tuple(f"CAP_{name}" for name in _CAPABILITIES.split())
"""In the order of their numbers."""

_CALL_GROUPS = (
    "aio basic-io chown clock cpu-emulation debug file-system io-event ipc keyring known memlock"
    " module mount network-io obsolete pkey privileged process raw-io reboot resources sandbox"
    " setuid signal swap sync system-service timer"
)
CALL_GROUPS = tuple(f"@{name}" for name in _CALL_GROUPS.split())
"""Those of systemd 252 (systemd.exec(5), SystemCallFilter=)."""

NETWORKS: Mapping[str, tuple[str, ...]] = {
    "any": ("0.0.0.0/0", "::/0"),
    "localhost": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/64"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
}
"""systemd's words for networks (systemd.resource-control(5), IPAddressAllow=)."""

USER = r"[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?|[0-9]{1,10}"
"""What a user's name or number looks like."""
