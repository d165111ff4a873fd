"""Rules that solve layers, one after the other."""

from .mlelm import MLELM
from .zorb import ZORB

__all__ = ["MLELM", "ZORB"]
