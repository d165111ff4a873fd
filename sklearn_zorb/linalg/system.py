"""One least-squares problem: rows, targets and weights that come in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp

from .backends import get_backend
from .gram import Gram
from .threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from numpy.typing import ArrayLike

    from ..typing import Array

    # rows, dense or sparse, their targets and their weights
    Chunk: TypeAlias = tuple[Any, Array, Array | None]


class System:
    """Read rows (n_rows, n_features) and targets (n_rows, n_targets) in chunks.

    Parameters
    ----------
    read : callable
        Given one of the parts, returns (rows, targets, weights) with weights None or positive,
        of shape (n,). It is called once for each pass, by several threads at a time.
    parts : sequence
        What stands for the chunks, such as slices of rows.
    n_rows, n_features, n_targets : int
    backend : {"numpy", "jax"}, default="numpy"
    fit_intercept : bool, default=True
        Whether sums are centred; False solves through the origin.

    Attributes
    ----------
    here : bool
        Whether the rows are read in this process.
    """

    here = True

    def __init__(
        self,
        read: Callable[[Any], Chunk],
        parts: Sequence[Any],
        n_rows: int,
        n_features: int,
        n_targets: int,
        backend: str = "numpy",
        fit_intercept: bool = True,
    ) -> None:
        self._read, self.parts = read, parts
        self.fit_intercept = fit_intercept
        self.n_rows = n_rows
        self.n_features = n_features
        self.n_targets = n_targets
        self.ops = get_backend(backend)

    @classmethod
    def from_arrays(
        cls,
        rows: Any,
        targets: ArrayLike,
        weights: Array | None = None,
        backend: str = "numpy",
        fit_intercept: bool = True,
    ) -> Self:
        """Make a system of whole arrays, one chunk."""
        targets = np.asarray(targets, dtype=np.float64)
        return cls(
            lambda part: (rows, targets, weights), (slice(None),), rows.shape[0], rows.shape[1],
            targets.shape[1], backend, fit_intercept,
        )  # fmt: skip

    def chunk(self, part: Any) -> Chunk:
        """Read rows, targets and weights of one part, as arrays of the backend."""
        rows, targets, weights = self._read(part)
        weights = None if weights is None else self.ops.asarray(weights, np.float64)
        return self.ops.asarray(rows), self.ops.asarray(targets, np.float64), weights

    def chunks(self) -> Iterator[Chunk]:
        """Read rows, targets and weights, chunk by chunk."""
        return map(self.chunk, self.parts)

    def total(self, function: Callable[[System], Any], add: Callable[[Any, Any], Any]) -> Any:
        """Compute ``function(self)``, or its sum over the places that rows lie in."""
        return function(self)

    def table(self, function: Callable[[System], Any]) -> Any:
        """Compute ``function(self)``, a row for each of the system, where the rows lie."""
        return function(self)

    def sample(self, n_rows: int) -> System:
        """Take about so many of the rows, evenly spaced, as a system of their own."""
        parts: list[Any] = []
        step, start = max(1, self.n_rows // n_rows), 0
        for chunk in self.chunks():
            every = slice(-start % step, None, step)
            parts.append([None if values is None else values[every] for values in chunk])
            start += len(chunk[1])
        joined = _joined(parts, self.ops.xp)
        return System.from_arrays(*joined, self.ops.name, self.fit_intercept)

    def gram(self) -> Gram:
        """Sum over all rows, centred, in one pass.

        Sums of each chunk by itself are added in order: the same for any number of threads.
        """

        def sums(part: Any) -> Gram:
            return Gram(self.ops.name, self.fit_intercept).add(*self.chunk(part))

        gram = Gram(self.ops.name, self.fit_intercept)
        for part_sums in (in_order if self.ops.name == "numpy" else map)(sums, self.parts):
            gram.absorb(part_sums)
        return gram

    def gather(self) -> Chunk:
        """Read all rows, targets and weights, each as one array."""
        return _joined(list(self.chunks()), self.ops.xp)


def _joined(chunks: Sequence[Chunk], xp: ModuleType) -> Chunk:
    """Chunks of rows, targets and weights as one chunk."""
    if len(chunks) == 1:
        return chunks[0]
    rows, targets, weights = zip(*chunks, strict=True)
    stacked = sp.vstack(rows, "csr") if sp.issparse(rows[0]) else xp.concatenate(rows)
    weight = None if weights[0] is None else xp.concatenate(weights)
    return stacked, xp.concatenate(targets), weight
