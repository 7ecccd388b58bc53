"""A larger world of scans: whole artery trees, injected, cropped, changed and imaged."""
