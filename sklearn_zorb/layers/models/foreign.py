"""What layers around models that cannot be inverted share."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._compat import Interval
from ...linalg import namespace, to_numpy
from ...linalg.pseudoinverse import solve_minimum_norm
from ..base import Layer, Solved, Traits, check_flat
from ..initializers import glorot_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...rows import Rows, Targets
    from ...typing import Array, Int, Params, Shape, Stream
    from ..base import Context, InitialData

# training rows kept as answers to "what input gives this output?"
PROTOTYPES = 256
POSITIVE = Interval(Integral, 1, None, closed="left")


class Foreign(Layer):
    """Base of layers that hold a fitted model in their params, under ``estimator``.

    Until it is solved, such a layer is a random linear map, its *surrogate*, through which
    targets travel down as through a Dense layer. Once it is solved, the inverse target is
    the training row whose output comes closest to the target.

    A subclass gives `fit_model`. Models predict one float array for rows, ``(n, units)``.
    """

    traits = Traits(
        learns=True, reads_inputs=False, streams=False, honest=True, draws_rows=True, gathers=True,
        jax=False,
    )  # fmt: skip

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        return (self._n_units(input_shape),)

    def _n_units(self, input_shape: Shape) -> int:
        """Number of outputs; units=None stands for that of the network."""
        if self.units is None:
            raise ValueError(
                f"{type(self).__name__} has units=None, the number of outputs of the network, "
                "which only an estimator knows: pass units=..."
            )
        return int(self.units)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        shape = (int(input_shape[0]) + 1, self._n_units(input_shape))
        return {"surrogate": glorot_uniform(rng, shape)[:-1]}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        if "estimator" not in params:
            outputs = inputs @ params["surrogate"]
            return np.asarray(outputs) if hasattr(inputs, "tocsr") else outputs
        return self._like(inputs, params["estimator"].predict(to_numpy(inputs)))

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        if "estimator" not in params:
            return solve_minimum_norm(params["surrogate"], targets, context.backward_rcond)
        wanted = np.asarray(to_numpy(targets), dtype=np.float64)
        known = params["prototype_outputs"]
        gap = (known**2).sum(axis=1) - 2 * wanted @ known.T
        found = params["prototype_inputs"][gap.argmin(axis=1)]
        return self._like(targets, found)

    def fit_model(self, rows: Any, targets: Targets, context: Context) -> tuple[Any, Array]:
        """Fit to rows and targets.

        Parameters
        ----------
        rows : ndarray or CSR matrix of shape (n_samples, n_features)
        targets : Targets of shape (n_samples, units)
        context : Context

        Returns
        -------
        model : object with ``predict(rows)`` that returns (n_samples, units)
            Its ``importances`` of shape (n_features,) are kept where it has any.
        outputs : ndarray of shape (n_samples, units)
            What the layer hands on while training.
        """
        raise NotImplementedError

    def solve(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        rows = to_numpy(inputs[:])
        model_rng, own_rng = context.rng.spawn(2)
        model, outputs = self.fit_model(rows, targets, context.replace(rng=model_rng))
        importances = getattr(model, "importances", None)
        if self.n_keep > 1:
            before = params.get("estimator", Window([], []))
            model = before.slide(model, np.asarray(outputs), self.n_keep)
            outputs = model.left_out
        count = min(PROTOTYPES, rows.shape[0])
        chosen = np.sort(own_rng.choice(rows.shape[0], size=count, replace=False))
        examples = rows[chosen]
        solved = {
            **params,
            "estimator": model,
            "prototype_outputs": np.asarray(model.predict(examples), dtype=np.float64),
            # a gap is no answer
            "prototype_inputs": np.nan_to_num(_dense(examples)),
        }
        if importances is not None:
            solved["importances"] = importances
        outputs = self._like(inputs[:1], outputs)
        left_out = to_numpy(outputs) if context.left_out and self.traits.honest else None
        report = self._report(outputs, targets, context)
        return Solved(solved, outputs=outputs, left_out=left_out, report=report)

    def _report(self, outputs: Array, targets: Targets, context: Context) -> dict[str, float]:
        if not (self.traits.honest and self.traits.fits_targets):
            return {}
        squares = ((to_numpy(outputs) - np.asarray(targets)) ** 2).mean(axis=1)
        return {"left_out_error": float(np.average(squares, weights=context.sample_weight))}

    def _like(self, example: Array, values: ArrayLike) -> Array:
        """`values` as an array of the kind and floating precision of `example`."""
        dtype = np.result_type(example.dtype, np.float32)
        return namespace(example).asarray(np.asarray(values).astype(dtype, copy=False))


def _dense(rows: Any) -> Any:
    return rows.toarray() if hasattr(rows, "tocsr") else rows


class Mean:
    """The mean prediction of several models."""

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = models

    def predict(self, rows: Any) -> np.ndarray:
        return sum(model.predict(rows) for model in self.models) / len(self.models)


class Window(Mean):
    """The mean of the latest fits of a layer.

    Parameters
    ----------
    models : list
    outputs : list of ndarray of shape (n_samples, units)
        What each model handed on while training; not pickled, as a fit ends with them.
    """

    def __init__(self, models: Sequence[Any], outputs: Sequence[Any]) -> None:
        super().__init__(models)
        self.outputs = outputs

    def slide(self, model: Any, outputs: np.ndarray, n_keep: Int) -> Window:
        """The window with this model in front and no more than `n_keep` in all."""
        return Window([*self.models, model][-n_keep:], [*self.outputs, outputs][-n_keep:])

    @property
    def left_out(self) -> np.ndarray:
        """What the mean hands on while training."""
        return sum(self.outputs) / len(self.outputs)

    def __getstate__(self) -> dict[str, Any]:
        return {"models": self.models, "outputs": []}


def seed(rng: np.random.Generator) -> int:
    """A random_state for scikit-learn."""
    return int(rng.integers(2**31 - 1))
