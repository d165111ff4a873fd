"""Rules that give every block of layers a target of its own."""

from .target_propagation import TargetPropagation

__all__ = ["TargetPropagation"]
