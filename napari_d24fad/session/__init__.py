"""Models and encodings kept between runs: what viewer, command and benchmark share. Knows no Qt."""
