"""What `gxo doctor` tries: all that a profile promises."""

import pytest

from gxo.spec.policy import Profile
from gxo.systemd.trials import trials
from gxo.units import profiles

GRANTS = {"ReadWritePaths", "IPAddressAllow", "User"}
"""What takes nothing away by itself: it is tried with what it belongs to."""


@pytest.mark.parametrize("profile", Profile)
def test_each_directive_of_a_profile_is_tried(profile: Profile) -> None:
    """A directive that no trial is about could do nothing on a host, and nobody would know."""
    listed = (*profiles.profile(profile, 257, own_pids=True), *profiles.filters(profile))
    tried = {directive for trial in trials() for directive in trial.directives}
    assert {setting.name for setting in listed} <= tried


def test_a_trial_sets_what_it_is_about() -> None:
    """Each has the property of each directive that it is told of, under one name of its own."""
    names = {"CPUQuota": "CPUQuotaPerSecUSec"}
    for trial in trials():
        given = {entry.name for entry in trial.properties}
        assert {names.get(d, d) for d in trial.directives} - GRANTS <= given, trial.name
    assert len({trial.name for trial in trials()}) == len(trials())
