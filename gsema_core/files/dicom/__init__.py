"""DICOM series: found, checked, and read as one volume."""
