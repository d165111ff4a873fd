"""Training rules."""

from .backprop import Backprop
from .base import Trainer, TrainingResult
from .zorb import ZORB

__all__ = ["ZORB", "Backprop", "Trainer", "TrainingResult"]
