"""What was scanned: voxels with geometry, modality and identity, read from files."""
