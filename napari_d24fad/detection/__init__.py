"""From references and a scan to an anomaly map in the scan's own geometry."""
