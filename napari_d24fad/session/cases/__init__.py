"""A reading list: scans examined one after the other, and the result of each kept outside of memory."""
