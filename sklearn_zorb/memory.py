"""How many rows go through at a time, and what may be kept."""

from __future__ import annotations

import os
import re
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .typing import Float

_UNITS = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
          "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}  # fmt: skip
CHUNK_BYTES = 64e6
# rows that go through at a time at the least, whatever they take
LEAST_ROWS = 64
# an accelerator waits for the launch of each operation longer than for the work of many rows
ACCELERATOR_BYTES = 1e9
# arrays of this size are still in the cache when the next layer reads them, and the allocator
# hands out the same pages again and again: fresh ones cost more than a tanh
CACHE_BYTES = 4e6
# where nobody sets a limit, half of this is kept: activations of a million rows are computed again
DEFAULT_LIMIT = 4e9


def parse_bytes(text: Float | str) -> int:
    """Number of bytes in a text such as ``"500MB"``, or in a number.

    Examples
    --------
    >>> from sklearn_zorb.memory import parse_bytes
    >>> parse_bytes("1.5GB")
    1500000000
    """
    number = isinstance(text, Real) and not isinstance(text, bool)
    size = float(text) if number else _read_size(text)
    # NaN is neither above nor below
    if not 0 < size < np.inf:
        raise ValueError(
            f"memory_limit={text!r} is not a size; pass a positive number of bytes or text such "
            "as '500MB' or '2GB'."
        )
    return int(size)


def _read_size(text: object) -> float:
    """Bytes in a text, NaN where it is no size."""
    match = re.fullmatch(r"\s*(\d+\.?\d*)\s*([A-Za-z]*)\s*", str(text))
    if not match or match[2].upper() not in _UNITS:
        return np.nan
    return float(match[1]) * _UNITS[match[2].upper()]


def as_text(n_bytes: float) -> str:
    """Bytes as a reader wants them.

    Examples
    --------
    >>> from sklearn_zorb.memory import as_text
    >>> as_text(1_500_000_000)
    '1.5GB'
    """
    for unit in ("TB", "GB", "MB", "KB"):
        if n_bytes >= _UNITS[unit]:
            return f"{n_bytes / _UNITS[unit]:.3g}{unit}"
    return f"{n_bytes:.0f}B"


def machine_bytes() -> float:
    """Memory of this machine; infinite where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return np.inf


class Memory:
    """A budget for the working set of a fit.

    Parameters
    ----------
    limit : int, str or None, default=None
        Bytes, or text such as "500MB". None keeps activations of 2 GB at the most.
    """

    def __init__(self, limit: Float | str | None = None) -> None:
        self.limit: float = np.inf if limit is None else parse_bytes(limit)
        self.used: float = 0

    def chunks(
        self,
        n_rows: int,
        row_bytes: float,
        most: float = CHUNK_BYTES,
        even: bool = False,
        least: int = LEAST_ROWS,
    ) -> list[slice]:
        """Slices of rows whose working arrays take `most` bytes, or a share of the budget.

        Of one size: no short last chunk, and one compiled shape fewer. More than one of them are
        an `even` number where threads share them, of which one would else wait for the last.
        """
        share = min(most, self.limit / 8)
        step = int(max(least, min(n_rows, share // max(row_bytes, 1))))
        n_chunks = max(1, -(-n_rows // step))
        n_chunks += even and n_chunks > 1 and n_chunks % 2
        step = -(-n_rows // n_chunks) if n_rows else 1
        return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]

    def keep(self, n_bytes: float) -> bool:
        """Whether `n_bytes` more may be kept; if so they are counted."""
        budget = self.limit if np.isfinite(self.limit) else DEFAULT_LIMIT
        if self.used + n_bytes > budget / 2:
            return False
        self.used += n_bytes
        return True

    @property
    def room(self) -> float:
        """Bytes beyond which nothing is begun: the limit, or what the machine has.

        A limit is for rows on their way: what one chunk takes, small models are left alone.
        """
        return max(self.limit, CHUNK_BYTES) if np.isfinite(self.limit) else machine_bytes()

    def convert(self, array: Any, dtype: np.dtype[Any]) -> Any:
        """`array` in `dtype` and sliceable by rows, converted chunk by chunk if it is large."""
        if hasattr(array, "tocsr"):
            array = array.tocsr()
        if array.dtype == dtype:
            return array
        if hasattr(array, "tocsr") or self.keep(array.size * dtype.itemsize):
            return array.astype(dtype)
        return _Converted(array, dtype)


class _Converted:
    """An array on disk, or too large to copy, seen in another dtype."""

    def __init__(self, array: np.ndarray, dtype: np.dtype[Any]) -> None:
        self._array, self.dtype, self.shape = array, dtype, array.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self._array[rows].astype(self.dtype)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)
