"""Settings of Hypothesis for this folder: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("lstm", deadline=None)
settings.load_profile("lstm")
