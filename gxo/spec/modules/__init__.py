"""Specs of the first library's modules, a file a family."""
