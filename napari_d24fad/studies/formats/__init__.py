"""Volumes of Slicer, ITK and their like, and the names of formats that are not read."""
