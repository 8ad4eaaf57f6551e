"""Complete: the names of what is applied, for the shell; none where they cannot be read."""


def playbooks(incomplete: str) -> list[str]:
    """Applied playbooks whose names begin with what is typed."""
    from gxo.apply.store import Store, StoreError

    try:
        names = Store().playbooks()
    except (OSError, StoreError):
        return []
    return [name for name in names if name.startswith(incomplete)]


def targets(incomplete: str) -> list[str]:
    """Applied playbooks whose names begin with what is typed; behind a dot, their workloads."""
    from gxo.apply.store import Store, StoreError

    playbook, dot, workload = incomplete.partition(".")
    if not dot:
        return playbooks(incomplete)
    try:
        revision = Store().current(playbook)
    except (OSError, StoreError):
        return []
    parts = revision.parts if revision else ()
    return [f"{playbook}.{p.workload}" for p in parts if p.workload.startswith(workload)]
