"""Training rules."""

from .base import Trainer, TrainingResult
from .closed_form import MLELM, ZORB
from .gradient import (
    Backprop,
    DirectFeedbackAlignment,
    Evolution,
    FeedbackAlignment,
    ForwardGradient,
    RandomBases,
)
from .target_propagation import TargetPropagation

__all__ = [
    "MLELM",
    "ZORB",
    "Backprop",
    "DirectFeedbackAlignment",
    "Evolution",
    "FeedbackAlignment",
    "ForwardGradient",
    "RandomBases",
    "TargetPropagation",
    "Trainer",
    "TrainingResult",
]
