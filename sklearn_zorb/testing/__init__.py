"""Checks for layers, one's own included."""

from .layers import check_layer

__all__ = ["check_layer"]
