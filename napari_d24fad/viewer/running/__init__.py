"""Starts work in threads, shows its progress, cancels it."""
