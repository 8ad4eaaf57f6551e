"""Small scripts beside a service: the growing delay before a restart, and the TCP probe.

They run as the service's own user, in its sandbox, without gxo. With a `+` prefix they would be
cheaper, and run as root with the unit's environment, such as LD_PRELOAD: a hole.
"""

from gxo.spec.lifecycle import SECOND, Address, Backoff
from gxo.units.model import Command

HEALTHY = 10 * SECOND
"""After a run that lasted this long the back-off starts anew."""
PROBE = "gxo-ready"
"""What the TCP probe calls itself, before its arguments."""
UNREADY = 124
"""Its exit status when its time is over; 1 where the service ended before."""

# Arguments: the state file, seconds of a healthy run, then the seconds to sleep before the 1st,
# 2nd, … restart in a row. The file holds how many there were, and when the last began. `strict`
# hides /proc/uptime: there it takes the clock, although that may be set.
_WAIT = (
    'now() { { IFS=" ." read -r now _ </proc/uptime; } 2>/dev/null || now=$(date +%s); }; '
    "h=$1; shift; k=0; now; "
    'if [ -r "$0" ] && read -r n t <"$0" && [ $((now - t)) -lt "$h" ]; then '
    '[ "$n" -lt $# ] || n=$(($# - 1)); k=$((n + 1)); eval "sleep \\${$k}"; fi; '
    'now; echo "$k $now" >"$0"'
)
# If the service still runs, it is stopped by hand: its next start is no restart after a crash.
_FORGET = '[ -z "$MAINPID" ] || rm -f "$0"'

# Arguments: port, seconds to try, hosts. %s is the test whether the service itself still runs.
_PROBE = (
    "p=$1 s=$2; shift 2; while %s; do "
    'for h; do (exec 3<>"/dev/tcp/$h/$p") 2>/dev/null && exit 0; done; '
    '[ "$SECONDS" -lt "$s" ] || '
    '{ echo "no TCP connection to port $p within $s s" >&2; exit 124; }; '
    'sleep 0.1; done; echo "ended before it took a TCP connection" >&2; exit 1'
)
_ALIVE = 'kill -0 "$MAINPID" 2>/dev/null'
# In a PID namespace of its own the probe sees the service only as a 0 in their control group.
_ALIVE_UNSEEN = (
    "while IFS=: read -r n _ c; do [ $n != 0 ] || break; done </proc/self/cgroup; "
    "f=/sys/fs/cgroup$c/cgroup.procs; "
    '[ -r "$f" ] || f=/sys/fs/cgroup/unified$c/cgroup.procs; ! [ -r "$f" ] || grep -qx 0 "$f"'
)


def gaps(backoff: Backoff) -> tuple[int, ...]:
    """Microseconds from a crash to the 1st, 2nd, … start; the last holds for all that follow."""
    if backoff.max <= backoff.initial:
        return (backoff.initial,)
    steps = max(backoff.steps, 2)
    factor = (backoff.max / max(backoff.initial, 1)) ** (1 / (steps - 1))
    grown = (round(backoff.initial * factor**n) for n in range(steps - 1))
    return (*grown, backoff.max)


def wait(backoff: Backoff, state: str) -> Command:
    """ExecStartPre= that sleeps for the rest of each gap: systemd waits RestartSec=, the first."""
    healthy = (HEALTHY + backoff.initial) // SECOND
    sleeps = (_seconds(gap - backoff.initial) for gap in gaps(backoff))
    return Command(("/bin/sh", "-c", _WAIT, state, str(healthy), *sleeps))


def forget(state: str) -> Command:
    """ExecStop= that forgets the count of restarts, so that a start by hand waits for nothing."""
    return Command(("/bin/sh", "-c", _FORGET, state), ignore_failure=True)


def probe(address: Address, timeout: int, *, own_pids: bool) -> Command:
    """ExecStartPost= that ends when the address accepts a connection, or the service has ended."""
    script = _PROBE % (_ALIVE_UNSEEN if own_pids else _ALIVE)
    hosts = (address.host,) if address.host else ("127.0.0.1", "::1")
    seconds = str(max(1, -(-timeout // SECOND)))
    return Command(("/bin/bash", "-c", script, PROBE, str(address.port), seconds, *hosts))


def _seconds(microseconds: int) -> str:
    return f"{microseconds / SECOND:.3f}".rstrip("0").rstrip(".")
