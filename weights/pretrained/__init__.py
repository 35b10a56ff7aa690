"""The embedded models, each in a folder with the script that made it."""
