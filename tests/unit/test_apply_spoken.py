"""D-Bus properties in systemd's own words."""

import pytest

from gxo.apply.spoken import spoken


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TimeoutStopUSec", "90000000", "1min 30s"),
        ("RestartUSec", "1500000", "1s 500ms"),
        ("TimeoutStartUSec", "18446744073709551615", "infinity"),
        ("WatchdogUSec", "0", "0"),
        ("MemoryMax", "268435456", "256M"),
        ("MemoryMax", "1000", "1000"),
        ("MemoryHigh", "18446744073709551615", "infinity"),
        ("TasksMax", "18446744073709551615", "infinity"),
        ("CPUQuotaPerSecUSec", "500000", "50%"),
        ("PrivateTmp", "true", "yes"),
        ("UMask", "18", "0022"),
        ("ExecStartEx", '[["/bin/sh",["/bin/sh","-c","a b"],[]]]', '/bin/sh -c "a b"'),
        ("SystemCallFilter", '[false,["reboot"]]', "~reboot"),
        ("CapabilityBoundingSet", "1025", "CHOWN NET_BIND_SERVICE"),
        ("RestrictNamespaces", "0", "yes"),
        ("IPAddressDeny", "[[2,[10,0,0,0],8]]", "10.0.0.0/8"),
        ("LogExtraFields", '["413d31"]', "A=1"),
        ("KillSignal", "15", "SIGTERM"),
        ("Environment", '["A=b c"]', '"A=b c"'),
        ("Unheard", "[1,2]", "1 2"),
        ("KillSignal", "[9]", "[9]"),
        ("User", "no json", "no json"),
    ],
)
def test_a_property_in_words(name: str, text: str, said: str) -> None:
    """As `systemctl show` has it; what has another form than ours stays as it is."""
    assert spoken(name, text) == said
