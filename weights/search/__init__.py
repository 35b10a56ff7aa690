"""Looks for states in the dataset of a corpus."""
