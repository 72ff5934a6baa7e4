"""A module per format of files: each opens a file as tables."""
