"""Mutants of good files, read as users read files: ``python -m tests.fuzz --mutants 20000 --seed 1``."""
