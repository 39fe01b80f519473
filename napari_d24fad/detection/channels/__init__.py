"""What is measured at each place of a scan: the volume, its quantities, and sums of them over references."""
