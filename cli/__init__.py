"""The command `lstm`: words, terminals, streams, files of results."""
