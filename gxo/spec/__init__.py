"""What modules, lifecycles and policies are, as data that every later room may read."""
