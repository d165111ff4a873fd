"""Training rules."""

from .backprop import Backprop
from .base import Trainer, TrainingResult
from .direct_feedback import DirectFeedbackAlignment
from .evolution import Evolution
from .feedback import FeedbackAlignment
from .forward_gradient import ForwardGradient
from .mlelm import MLELM
from .random_bases import RandomBases
from .target_propagation import TargetPropagation
from .zorb import ZORB

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
