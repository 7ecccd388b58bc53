"""The measurements of a segmentation: from masks to the table and the lines."""
