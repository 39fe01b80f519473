"""Results on disk: NIfTI, TIFF, PNG overlays and the report."""
