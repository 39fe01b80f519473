"""DICOM files to series and scans."""
