"""Tables of docs/ that are made of what the code says and does; ``make docs`` writes them anew."""
