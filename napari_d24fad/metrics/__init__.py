"""Figures of merit of scans and pixels, from arrays alone."""
