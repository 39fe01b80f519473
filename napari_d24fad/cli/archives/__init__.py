"""The commands that speak with archives (PACS)."""
