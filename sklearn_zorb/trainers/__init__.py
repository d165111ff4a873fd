"""Training rules."""

from .base import Trainer, TrainingResult
from .zorb import ZORB

__all__ = ["Trainer", "TrainingResult", "ZORB"]
