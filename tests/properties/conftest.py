"""Few examples, the same ones each time."""

from hypothesis import settings

settings.register_profile("few", max_examples=20, deadline=None, derandomize=True, database=None)
settings.load_profile("few")
