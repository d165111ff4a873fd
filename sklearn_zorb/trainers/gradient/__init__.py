"""Rules that take a step along a direction for every batch."""

from .backprop import Backprop
from .direct_feedback import DirectFeedbackAlignment
from .evolution import Evolution
from .feedback import FeedbackAlignment
from .forward_gradient import ForwardGradient
from .random_bases import RandomBases

__all__ = [
    "Backprop",
    "DirectFeedbackAlignment",
    "Evolution",
    "FeedbackAlignment",
    "ForwardGradient",
    "RandomBases",
]
