"""NIfTI files to series and scans."""
