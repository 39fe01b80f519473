"""The synthetic heads of the sample study: made, not read."""
