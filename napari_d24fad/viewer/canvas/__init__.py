"""What is drawn on the canvas of napari, and pictures of it."""
