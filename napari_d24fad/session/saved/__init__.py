"""Sessions as files: scans by path and content, settings, results and findings, opened without a new run."""
