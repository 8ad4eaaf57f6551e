"""The escapes that a workload tries, each a function that ends well only where it gets out.

As a program, `python3 -m tests.lab.escapes FACTS`, it prints a line for each: `NAME reached` or
`NAME stopped: why`. FACTS is a JSON object: `victim`, the PID of a process of root's, and
`workspace`, a directory of another run.
"""

import ctypes
import errno
import mmap
import os
import socket

from tests.lab.attacker import (
    ESCAPES,
    FACTS,
    LIBC,
    call,
    checked,
    create_only,
    escape,
    main,
    open_only,
    output_of,
    ring_open,
)


@escape("ptrace", "attach to a process of root's with ptrace", "no `ptrace` in the filter, users")
def _() -> None:
    checked(LIBC.ptrace(0x4206, FACTS["victim"], 0, 0))  # PTRACE_SEIZE: it is not stopped


@escape("proc-root", "look at the host through /proc/PID/root", "`ProtectProc=`, users")
def _() -> None:
    os.listdir(f"/proc/{FACTS['victim']}/root/root")


@escape("proc-mem", "read the memory of a process of root's", "`ProtectProc=`, users")
def _() -> None:
    open_only(f"/proc/{FACTS['victim']}/mem")


@escape("proc-environ", "read the environment of a process of root's", "`ProtectProc=`, users")
def _() -> None:
    open_only(f"/proc/{FACTS['victim']}/environ")


@escape("steal-file", "take an open file of a process of root's", "no `pidfd_getfd`, users")
def _() -> None:
    call("pidfd_getfd", call("pidfd_open", FACTS["victim"], 0), 0, 0)


@escape("signal", "send a signal to a process of root's", "users, `PrivateUsers=`")
def _() -> None:
    os.kill(FACTS["victim"], 0)


@escape("mount", "mount a file system", "no `mount` in the filter, no capabilities")
def _() -> None:
    checked(LIBC.mount(b"none", b"/mnt", b"tmpfs", 0, None))
    checked(LIBC.umount2(b"/mnt", 2))


@escape("unshare-user", "make a user namespace, to be root in it", "`RestrictNamespaces=`")
def _() -> None:
    checked(LIBC.unshare(0x10000000))


@escape("unshare-mount", "make a mount namespace", "`RestrictNamespaces=`, no capabilities")
def _() -> None:
    checked(LIBC.unshare(0x00020000))


@escape("setns", "enter the namespaces of PID 1", "`ProtectProc=`, users, no capabilities")
def _() -> None:
    descriptor = os.open("/proc/1/ns/mnt", os.O_RDONLY)
    checked(LIBC.setns(descriptor, 0))


@escape("chroot", "change the root directory", "no capabilities")
def _() -> None:
    os.chroot("/")


@escape("file-handle", "open a file of the host by its handle", "no capabilities")
def _() -> None:
    root = os.open("/", os.O_RDONLY)
    call("open_by_handle_at", root, ctypes.create_string_buffer(8), 0, reached=errno.EINVAL)


@escape(
    "keyctl",
    "read keys of the user's session",
    "`KeyringMode=private`, users",
    without="a lab has no kernel keys",
)
def _() -> None:
    text = ctypes.create_string_buffer(99)
    call("keyctl", 6, -3, text, 99)
    if b"_uid_ses" not in text.value:
        raise OSError(errno.EPERM, "the session's keys are its own")


@escape("bpf", "load a program into the kernel", "no `bpf` in the filter, no capabilities")
def _() -> None:
    call("bpf", 0, ctypes.create_string_buffer(120), 120, reached=errno.EINVAL)


@escape("private-socket", "give orders at systemd's private socket", "it is for root alone")
def _() -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("/run/systemd/private")
        peer.settimeout(5)
        peer.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        if not peer.recv(99).startswith(b"OK "):
            raise OSError(errno.EPERM, "systemd rejects it")


@escape("bus-start", "have systemd start a unit of its making", "the policy of the system bus")
def _() -> None:
    output_of("systemd-run", "--no-ask-password", "--quiet", "--collect", "/bin/true")


@escape("bus-kill", "have systemd kill another unit", "the policy of the system bus")
def _() -> None:
    output_of("systemctl", "--no-ask-password", "kill", "--signal=CONT", "systemd-journald.service")


@escape("bus-environment", "change what systemd starts services with", "the system bus")
def _() -> None:
    output_of("systemctl", "--no-ask-password", "set-environment", "GXO_ESCAPE=1")
    output_of("systemctl", "--no-ask-password", "unset-environment", "GXO_ESCAPE")


@escape("gxo-state", "read gxo's records", "they belong to root, mode 0700")
def _() -> None:
    os.listdir("/var/lib/gxo/applied")


@escape("gxo-lock", "hold gxo's lock, so that nobody applies", "it belongs to root, mode 0600")
def _() -> None:
    open_only("/run/gxo/apply.lock", os.O_RDWR)


@escape("other-run", "read the workspace of another run", "users, or it is not there at all")
def _() -> None:
    open_only(f"{FACTS['workspace']}/kept")


@escape("leave-cgroup", "leave its control group, and its limits", "`ProtectControlGroups=`")
def _() -> None:
    for place in ("", "/systemd", "/unified"):
        path = f"/sys/fs/cgroup{place}/cgroup.procs"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
            return
    raise OSError(errno.ENOENT, "there is none")


@escape("release-agent", "have the kernel run a program at a group's end", "the same, no mounts")
def _() -> None:
    for place in ("memory", "systemd", ""):
        group = f"/sys/fs/cgroup/{place}"
        if os.path.exists(f"{group}/cgroup.procs"):
            os.mkdir(f"{group}/escape")
            os.rmdir(f"{group}/escape")
            return
    raise OSError(errno.ENOENT, "there is none")


@escape(
    "setuid-program",
    "become root by a set-uid program",
    "`NoNewPrivileges=`",
    control="nobody",
)
def _() -> None:
    if output_of("/srv/escape-id", "-u").strip() != "0":
        raise OSError(errno.EPERM, "it stays who it was")


@escape("setuid-file", "leave a set-uid file behind", "`RestrictSUIDSGID=`", control="nobody")
def _() -> None:
    os.fchmod(os.memfd_create("escape"), 0o4755)


@escape("set-user", "become another user", "no capabilities, `PrivateUsers=`")
def _() -> None:
    os.setuid(1)


@escape("chown", "give a file to another user", "no capabilities")
def _() -> None:
    os.fchown(os.memfd_create("escape"), 1, 1)


@escape(
    "io-uring",
    "read /etc/shadow through io_uring, past the filter",
    "the permissions of files, which hold there too",
)
def _() -> None:
    ring_open(b"/etc/shadow")


@escape("userfaultfd", "hold the kernel up at a page of its own", "no capabilities")
def _() -> None:
    os.close(call("userfaultfd", 0))


@escape("kexec", "load another kernel", "no `kexec_load` in the filter, no capabilities")
def _() -> None:
    try:
        call("kexec_load", 0, 0, 0, 0xFFFF, reached=errno.EINVAL)
    except OSError as error:
        if error.errno != errno.ENOSYS:  # a kernel without it was asked all the same
            raise


@escape(
    "module",
    "load a kernel module",
    "`ProtectKernelModules=`, the filter",
    without="a lab lacks the capability, since it would be the host's kernel",
)
def _() -> None:
    call("finit_module", -1, b"", 0, reached=errno.EBADF)


@escape(
    "clock",
    "set the clock",
    "`ProtectClock=`, the filter",
    without="a lab lacks the capability, since it would be the host's clock",
)
def _() -> None:
    call("clock_settime", 0, (ctypes.c_long * 2)(0, -1), reached=errno.EINVAL)


@escape("reboot", "reboot the machine", "no `reboot` in the filter, no capabilities")
def _() -> None:
    checked(LIBC.reboot(0), errno.EINVAL)


@escape("hostname", "name the host", "no `sethostname` in the filter, no capabilities")
def _() -> None:
    socket.sethostname(socket.gethostname())


@escape("raw-socket", "send packets of any kind", "no capabilities")
def _() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()


@escape("packet-socket", "read the packets of others", "`RestrictAddressFamilies=`")
def _() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


@escape(
    "device-node",
    "make a device",
    "no capabilities",
    without="a lab may make none",
)
def _() -> None:
    path = f"/tmp/escape-{os.getpid()}"
    os.mknod(path, 0o020600, os.makedev(1, 3))
    os.unlink(path)


@escape("device", "open a device of the host", "`PrivateDevices=`")
def _() -> None:
    open_only("/dev/net/tun", os.O_RDWR)


@escape("kernel-setting", "open a setting of the kernel to write", "users, no capabilities")
def _() -> None:
    open_only("/proc/sys/net/ipv4/ip_forward", os.O_WRONLY)


@escape("realtime", "take a CPU for itself", "`RestrictRealtime=`, no capabilities")
def _() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(0))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


@escape(
    "foreign-call",
    "make system calls by the 32-bit gate, past the filter",
    "`SystemCallArchitectures=native`",
)
def _() -> None:
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")  # mov eax, getpid; int 0x80; ret
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


@escape("personality", "change its execution domain", "`LockPersonality=`", control="nobody")
def _() -> None:
    checked(LIBC.personality(0x0040000))


@escape("shadow", "read /etc/shadow", "the permissions of files")
def _() -> None:
    open_only("/etc/shadow")


@escape("homes", "look into the home of root", "`ProtectHome=`")
def _() -> None:
    os.listdir("/root")


@escape("others-tmp", "read temporary files of others", "`PrivateTmp=`", control="nobody")
def _() -> None:
    open_only("/tmp/escape-bait")


@escape("shared-memory", "read the shared memory of others", "`PrivateIPC=`", control="nobody")
def _() -> None:
    checked(LIBC.shmget(0x67786F, 0, 0))


@escape("preload", "have every program load its code", "`ProtectSystem=strict`, users")
def _() -> None:
    create_only("/etc/ld.so.preload")


@escape("unit-file", "leave a unit for systemd to find", "`ProtectSystem=strict`, users")
def _() -> None:
    create_only("/run/systemd/system/escape.service")


@escape("hard-link", "keep a file of root's by a hard link", "file systems of its own, users")
def _() -> None:
    os.link("/etc/shadow", "/etc/escape-link")
    os.unlink("/etc/escape-link")


@escape("journal", "read the journal of others", "the permissions of files")
def _() -> None:
    output_of("journalctl", "--quiet", "--lines=1", "_PID=1")
    (machine,) = os.listdir("/run/log/journal")
    open_only(f"/run/log/journal/{machine}/system.journal")


__all__ = ["ESCAPES"]

if __name__ == "__main__":
    main()
