"""What the user chose once for all, on the page of this plugin in napari's preferences."""
