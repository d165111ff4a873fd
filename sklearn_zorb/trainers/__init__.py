"""Training rules."""

from .backprop import Backprop
from .base import Trainer, TrainingResult
from .direct_feedback import DirectFeedbackAlignment
from .feedback import FeedbackAlignment
from .forward_gradient import ForwardGradient
from .zorb import ZORB

__all__ = [
    "ZORB",
    "Backprop",
    "DirectFeedbackAlignment",
    "FeedbackAlignment",
    "ForwardGradient",
    "Trainer",
    "TrainingResult",
]
