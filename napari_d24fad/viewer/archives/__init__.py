"""Fetching studies from archives (PACS) and sending files to them, in a window of its own."""
