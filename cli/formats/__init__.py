"""How a result is written, one file per format."""
