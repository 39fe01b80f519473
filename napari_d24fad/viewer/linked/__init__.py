"""Other views of the scan on the canvas, in step with it: three planes, or beside a reference and the map."""
