"""The ways to run the standard cell over many steps: one in numpy, one in compiled code."""
