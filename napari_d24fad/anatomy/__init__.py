"""What of a scan is anatomy, and where in it a voxel lies; knows studies/ only."""
