"""What the references show at each place, and how far a query is from it."""
