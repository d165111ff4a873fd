"""What turns y into targets, and outputs of a network into predictions."""

from typing import TypeAlias

from .calibration import PowerCalibration
from .classes import Classes
from .discriminant import LinearDiscriminant
from .intervals import LeftOutErrors
from .labels import Labels
from .numbers import Numbers

Decoder: TypeAlias = Classes | Labels | Numbers

__all__ = [
    "Classes",
    "Labels",
    "LeftOutErrors",
    "LinearDiscriminant",
    "Numbers",
    "PowerCalibration",
]
