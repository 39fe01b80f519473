"""The cards of the scans, from which references and the query are chosen."""
