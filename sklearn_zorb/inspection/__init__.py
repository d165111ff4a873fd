"""Displays of what a training rule did."""

from .history import ErrorReductionDisplay, HistoryDisplay

__all__ = ["ErrorReductionDisplay", "HistoryDisplay"]
