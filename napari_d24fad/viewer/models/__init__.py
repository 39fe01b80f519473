"""The window that lists, fetches and imports models."""
