"""Decodes untrusted pixels in processes that may die."""
