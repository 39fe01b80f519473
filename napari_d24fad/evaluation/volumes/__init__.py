"""Measures methods on volumes with known lesions, one query in memory at a time."""
