"""Templates: the tree, its evaluator and function table; no I/O."""
