"""Config: /etc/gxo/config.yaml, read with the place of all that is wrong with it.

A room of its own, left of the language: the runner reads it too, and never loads the language.
"""
