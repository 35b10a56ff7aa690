"""A corpus: texts out of files, and the states of all of them as a Parquet dataset."""
