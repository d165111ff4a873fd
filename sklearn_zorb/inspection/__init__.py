"""Displays of a training, and of the columns that a fitted model uses."""

from .history import ErrorReductionDisplay, HistoryDisplay
from .importances import FeatureImportancesDisplay

__all__ = ["ErrorReductionDisplay", "FeatureImportancesDisplay", "HistoryDisplay"]
