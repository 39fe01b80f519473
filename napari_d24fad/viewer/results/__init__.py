"""The panel that explains a result."""
