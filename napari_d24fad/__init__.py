"""Few-shot anomaly detection for radiology: normal references in, anomaly map out."""

__version__ = "0.1.0"
