"""Kernel features whose kernel is learned in closed form."""

from .layer import Kernel

__all__ = ["Kernel"]
