"""How features of a query are compared with those of references."""
