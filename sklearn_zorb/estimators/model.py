"""What a fit leaves behind: a network, its params, and what turns outputs into predictions."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..layers.fold import folded
from ..linalg.threads import for_each
from ..memory import CHUNK_BYTES, Memory
from ..network import Network
from ..rows.constant import ConstantColumns
from ..rows.device import on_device, runs_on_device
from ..rows.schema import Schema
from .data import check_size
from .importances import column_importances

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ..typing import Float, Params


@dataclass(frozen=True, repr=False)
class FittedModel:
    """A trained network; all of it is NumPy and plain values.

    Attributes
    ----------
    network : Network
    params : list of dict
    decoder : Classes, Labels or Numbers
    dtype : numpy.dtype
        Precision of activations.
    backend : {"numpy", "jax"}
        Where matrices are multiplied.
    constant : ConstantColumns or None
        Columns that never varied in training, which move no prediction.
    schema : Schema or None
        The columns of a data frame, or of others than plain numbers.
    means : ndarray of shape (n_features,) or None
        What stands for a gap in a column of numbers that had none in training.
    row_bytes : int
        Working memory that predicting one row takes.
    state : dict or None
        What the rule wants back where training goes on.
    sizes : FittedModel or None
        Of the logarithm of the size of errors.
    """

    network: Network
    params: list[Params]
    decoder: Any
    dtype: np.dtype[Any]
    backend: str
    constant: ConstantColumns | None
    schema: Schema | None
    means: np.ndarray | None
    row_bytes: int
    state: dict[str, Any] | None = None
    sizes: FittedModel | None = None

    def replace(self, **changes: Any) -> Self:
        """A copy with some attributes changed; params become NumPy arrays."""
        if "params" in changes:
            changes["params"] = as_numpy(changes["params"])
        return replace(self, **changes)

    def folded(self) -> Self:
        """A copy that predicts the same, without what only training needs."""
        network = self.network
        shared = [tap for tap in network.taps if tap < network.readout]
        return replace(self, params=folded(network.layers, self.params, shared))

    @cached_property
    def importances(self) -> np.ndarray:
        """Importances of the columns, kept: tools that list attributes ask for them often."""
        return column_importances(self)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def restored(self, X: Any) -> Any:
        """Give columns that never varied in training the value that they had there."""
        return X if self.constant is None else self.constant.restore(X)

    def outputs(self, X: Any, memory_limit: Float | str | None = None) -> np.ndarray:
        """Network outputs of shape (n_samples, n_outputs) for checked rows, read in chunks."""
        check_size(X, "X", self.dtype)
        X = self.restored(X)
        outputs = np.empty((X.shape[0], self.decoder.n_outputs))
        of_rows: Callable[[Any], Any] = partial(self.network.outputs, self.params)
        scope: AbstractContextManager[None] = nullcontext()
        most = CHUNK_BYTES
        if self.backend == "jax" and runs_on_device(X, self.network.layers):
            of_rows, most, scope = on_device(self.network, self.params)
        # results are looked through for overflow
        parts = Memory(memory_limit).chunks(X.shape[0], self.row_bytes, most, even=True)

        def fill(part: slice) -> None:
            # threads have error states of their own
            with np.errstate(over="ignore", invalid="ignore"):
                outputs[part] = of_rows(X[part].astype(self.dtype, copy=False))

        with scope:
            if self.backend == "numpy":
                for_each(fill, parts)
            else:
                for part in parts:
                    fill(part)
        if not np.isfinite(outputs).all():
            raise ValueError(
                f"X holds rows so far from those of training that {self.dtype} overflows; pass "
                "them in the units of training."
            )
        return outputs


def as_numpy(params: Any) -> Any:
    """The same nested params with NumPy arrays; fitted models stay what they are."""
    if isinstance(params, dict):
        return {name: as_numpy(value) for name, value in params.items()}
    if isinstance(params, list | tuple):
        return [as_numpy(value) for value in params]
    return np.array(params) if hasattr(params, "dtype") else params
