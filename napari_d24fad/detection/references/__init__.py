"""What normal references show among themselves, and what that says of a query."""
