"""The plan: one graph of a playbook's workloads, ordered, resolved and serialisable."""
