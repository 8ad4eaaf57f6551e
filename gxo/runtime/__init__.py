"""Runs: a plan's steps carried out in order, in a private workspace, with their state kept."""
