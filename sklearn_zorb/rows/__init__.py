"""Tables of samples and of targets, read in chunks."""

from .duplicates import count_distinct, merge_copies
from .rows import Rows, apply, n_wide_layers, output_shapes, side_by_side, working_width
from .targets import Targets

__all__ = [
    "Rows",
    "Targets",
    "apply",
    "count_distinct",
    "merge_copies",
    "n_wide_layers",
    "output_shapes",
    "side_by_side",
    "working_width",
]
