"""Results as DICOM objects of the same study, for an archive and its viewers."""
