"""The frozen encoders that scans are compared by: what each is, and the networks in plain torch."""
