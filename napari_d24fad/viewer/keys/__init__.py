"""Keys of the dock that work wherever the focus is in the viewer."""
