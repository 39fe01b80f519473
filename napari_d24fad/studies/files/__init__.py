"""Which files are there, and how much of them may be read."""
