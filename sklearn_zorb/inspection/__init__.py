"""Displays of what a training rule did, and of what a fitted model goes by."""

from .history import ErrorReductionDisplay, HistoryDisplay
from .importances import FeatureImportancesDisplay

__all__ = ["ErrorReductionDisplay", "FeatureImportancesDisplay", "HistoryDisplay"]
