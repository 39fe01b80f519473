"""DICOM Segmentations, also those of other programs, on the voxels of the scan that they were made on."""
