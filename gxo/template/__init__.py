"""Templates: the tree, its evaluator and function table; no I/O (4-language.md, Templates)."""
