"""From scans to features: which slices, which pixels, at what intensities, and where features are kept."""
