"""Two small scripts beside a service: the growing wait before a restart, and the TCP probe.

They run as the service's own user, in its sandbox, with nothing of gxo installed. `+` would be
cheaper and would be a hole: the environment of the unit, LD_PRELOAD too, would be root's.
"""

from gxo.spec.lifecycle import SECOND, Address, Backoff
from gxo.units.model import Command

HEALTHY = 10 * SECOND
"""A run that lasted this long was healthy: the gaps start anew."""

# Arguments: the state file, the unit, seconds of a healthy run, then the seconds to sleep before
# the 1st, 2nd, … restart in a row. The file holds how many there were, and when the last began.
# systemd counts restarts of its own making: 0 says that somebody started the unit by hand.
_WAIT = (
    'u=$1 h=$2; shift 2; k=0; IFS=" ." read -r now _ </proc/uptime; '
    'if [ -r "$0" ] && read -r n t <"$0" && [ $((now - t)) -lt "$h" ]; then '
    '[ "$n" -lt $# ] || n=$(($# - 1)); eval "gap=\\${$((n + 1))}"; k=$((n + 1)); '
    'if [ "$gap" != 0 ]; then '
    'if [ "$(systemctl show -P NRestarts -- "$u")" = 0 ]; then k=0; else sleep "$gap"; fi; fi; fi; '
    'IFS=" ." read -r now _ </proc/uptime; echo "$k $now" >"$0"'
)

# Arguments: port, seconds to try, hosts. %s is the test whether the service itself still runs.
_PROBE = (
    "p=$1 s=$2; shift 2; while %s; do "
    'for h; do (exec 3<>"/dev/tcp/$h/$p") 2>/dev/null && exit 0; done; '
    '[ "$SECONDS" -lt "$s" ] || { echo "no TCP connection to port $p within $s s" >&2; exit 1; }; '
    'sleep 0.1; done; echo "ended before it took a TCP connection" >&2; exit 1'
)
_ALIVE = 'kill -0 "$MAINPID" 2>/dev/null'
_ALIVE_BY_NAME = '[ "$(systemctl show -P MainPID -- "$0")" != 0 ]'


def gaps(backoff: Backoff) -> tuple[int, ...]:
    """Microseconds from a crash to the 1st, 2nd, … start; the last holds for all that follow."""
    if backoff.max <= backoff.initial:
        return (backoff.initial,)
    steps = max(backoff.steps, 2)
    factor = (backoff.max / max(backoff.initial, 1)) ** (1 / (steps - 1))
    grown = (round(backoff.initial * factor**n) for n in range(steps - 1))
    return (*grown, backoff.max)


def wait(backoff: Backoff, state: str, unit: str) -> Command:
    """ExecStartPre= that sleeps what a gap is longer than the first, which is RestartSec=."""
    healthy = (HEALTHY + backoff.initial) // SECOND
    sleeps = (_seconds(gap - backoff.initial) for gap in gaps(backoff))
    return Command(("/bin/sh", "-c", _WAIT, state, unit, str(healthy), *sleeps))


def probe(address: Address, timeout: int, unit: str, *, own_pids: bool) -> Command:
    """ExecStartPost= that ends when the address takes a connection, or the service has ended."""
    script = _PROBE % (_ALIVE_BY_NAME if own_pids else _ALIVE)
    hosts = (address.host,) if address.host else ("127.0.0.1", "::1")
    seconds = str(max(1, -(-timeout // SECOND)))
    return Command(("/bin/bash", "-c", script, unit, str(address.port), seconds, *hosts))


def _seconds(microseconds: int) -> str:
    return f"{microseconds / SECOND:.3f}".rstrip("0").rstrip(".")
