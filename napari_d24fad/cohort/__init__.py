"""Many scans examined with the same references, on one machine or on many, into one folder and one table."""
