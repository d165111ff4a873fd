"""Default estimators side by side on tables: ``python -m benchmarks.tabular --help``."""

from .run import main

__all__ = ["main"]
