"""Outside: modules from outside the library: their bytes, their signatures, and whose keys count.

A room of its own, left of the language: the runner uses it too, and never loads the language.
"""
