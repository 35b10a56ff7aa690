"""How golden values for a port are written, one file per format."""
