"""The reading list of the dock: its queue, and going from case to case."""
