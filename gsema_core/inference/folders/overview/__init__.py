"""One page on all scans of a folder: a record a scan, its pictures, and the page made of them."""
