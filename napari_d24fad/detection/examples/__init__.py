"""Scans known to be abnormal, marked beside the normal references: what to look for."""
