"""Sessions and reports of what the dock shows: asked for, written and read in the background."""
