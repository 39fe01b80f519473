"""How a scan is read on the canvas: window, letters, what is under the cursor, measuring, other views."""
