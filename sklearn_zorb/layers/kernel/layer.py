"""Kernel features whose kernel is learned in closed form."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse as sp

from ..._compat import Interval, StrOptions
from ...linalg import LeastSquares, System, namespace, to_numpy
from ...rows.duplicates import group_rows
from ..base import Layer, Solved, Traits, check_flat
from .choice import (
    MANHATTAN_BUDGET,
    MANHATTAN_COLUMNS,
    MODEL_LANDMARKS,
    MODEL_ROWS,
    SEARCH_ROWS,
    best_of,
    choose_kernels,
    judged_on,
    median_distance,
    optimism,
)
from .features import principal, principal_features, whitening
from .functions import KINDS, exchange_effects, kernel_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...rows import Rows, Targets
    from ...rows.duplicates import Groups
    from ...typing import Array, Float, Int, Params, Shape, Stream
    from ..base import Context, InitialData
    from .choice import Choice

# sparse rows are made dense chunk by chunk, and landmarks are, up to this many columns
DENSE_COLUMNS = 10_000
# from so many features for each row of the search, and such a share of all rows in it, on
# scales fit noise in a measure that counts
MANY_SCALES, LEAST_SHARE = 0.2, 0.2
# columns from which on rows of single precision stay so: rounding is little beside a sum of so
# many squares, and time and memory are halved
SINGLE_COLUMNS = 1000
# rows up to which eigenvalues, which answer for all penalties of a read-out, are worth their time
EIGEN_ROWS = 6000
# landmarks that stand in until the layer is solved
INITIAL = 64
# params that a linear layer behind may take over
FOLDED = ("projection", "offset")


class Kernel(Layer):
    r"""Compute kernel features; learn the kind, the bandwidth and the scale of each input.

    With landmarks :math:`l_1, \dots, l_m`, feature scales s and bandwidth h,

    .. math:: \phi(x) = k(x)\, K^{-1/2}, \quad k(x)_i = \kappa(|s x - s l_i| / h),
              \quad K_{ij} = k(l_i)_j,

    where :math:`\kappa(d)` is :math:`e^{-d}` of the Euclidean ("laplace") or Manhattan
    ("laplace_l1") distance, or :math:`e^{-d^2/2}` ("gaussian"). As long as the training
    inputs have no more than `units` distinct rows, each is a landmark, and a ridge read-out
    of the features is exactly kernel ridge regression with an intercept that is not
    penalised; beyond, landmarks are drawn from the distinct rows (Nyström).

    Unless all of a kernel is given, with ``reweight=0``, kernels are compared by the
    leave-one-out error of kernel ridge regression of the network's own targets on 400 rows,
    whatever the targets of the layer; kinds, where not all rows are landmarks, by that of a
    ridge of the features of 1600 rows with as small a share of landmarks: the smoother a
    kernel, the fewer of them it needs. From functions f and g, fitted
    to one half of these rows each, every round of re-weighting takes the scales

    .. math:: s_j^4 \leftarrow r \frac{\max(p_j, 0)}{\mathrm{mean}_k \max(p_k, 0)} + 1 - r,
              \quad p_j = s_j^2\, \mathrm{mean}_i\,
              \frac{\partial f}{\partial z_j} \frac{\partial g}{\partial z_j} (x_i),
              \quad r = \frac{\sum_k p_k}{\sum_k |p_k|},

    with z = s x: a feature on which the targets do not depend comes to count for less. The
    products are the diagonal of an average gradient outer product (AGOP) [1]_ from which
    noise is taken away, as it differs between halves; where there is little else, as on fewer
    rows than columns, r is small and all features keep their scale.

    Parameters
    ----------
    units : int, default=1000
        Largest number of landmarks, and number of outputs; those that there are too few
        distinct rows for are zero.
    kind : {"auto", "laplace", "laplace_l1", "gaussian"}, default="auto"
        "auto" takes the best by leave-one-out; "laplace_l1" is not tried where it would cost
        more than it gains, beyond 1000 columns or 4e8 differences of entries of rows and
        landmarks.
    bandwidth : "loo" or float, default="loo"
        In median distances between rows; "loo" takes the better of 1 and 4.
    reweight : int, default=2
        Rounds of feature scaling; the best of all rounds is kept, round 0 included.

    Notes
    -----
    ``params`` hold ``landmarks`` (m, n_features), ``feature_scales`` (n_features,),
    ``bandwidth``, ``kind`` (an index into `KINDS`), ``projection`` (m, rank) and
    ``offset``. At the end of a fit the last two move into the weights of a `Dense` layer right
    behind, or of the read-out, and the layer then hands on :math:`k(x)` itself.
    With up to `units` distinct rows, and no more than 6000, the features of the training rows
    are orthogonal and have mean zero, so that the read-out needs no eigenvalues of its own; those
    of less than 1e-10 of the mean variance are left out. Inputs of more than 1000 columns stay
    in single precision where they come in it.
    The inverse target is the ridge regression of the landmarks on their own features.

    References
    ----------
    .. [1] A. Radhakrishnan, D. Beaglehole, P. Pandit, M. Belkin, "Mechanism for feature
       learning in neural networks and backpropagation-free machine learning models",
       Science 383 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb import ZORBRegressor
    >>> from sklearn_zorb.layers import Kernel
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(200, 5))
    >>> model = ZORBRegressor([Kernel(200)], readout="last").fit(X, np.sin(3 * X[:, 1]))
    >>> int(model.params_[1]["feature_scales"].argmax())
    1
    """

    traits = Traits(learns=True, fits_targets=False, reads_inputs=False, gathers=True, jax=False)

    _parameter_constraints = {
        "units": [Interval(Integral, 1, None, closed="left")],
        "kind": [StrOptions({"auto", *KINDS})],
        "bandwidth": [StrOptions({"loo"}), Interval(Real, 0, None, closed="neither")],
        "reweight": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        units: Int = 1000,
        *,
        kind: Literal["auto", "laplace", "laplace_l1", "gaussian"] = "auto",
        bandwidth: Float | Literal["loo"] = "loo",
        reweight: Int = 2,
    ) -> None:
        self.units = units
        self.kind = kind
        self.bandwidth = bandwidth
        self.reweight = reweight

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        return (int(self.units),)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        count = min(self.units, INITIAL)
        if data is None:
            rows = rng.normal(size=(count, *input_shape))
        else:
            n_rows = data[0].shape[0]
            chosen = np.sort(rng.choice(n_rows, size=min(count, n_rows), replace=False))
            rows = self._dense(data[0][chosen])
        kind = "laplace" if self.kind == "auto" else self.kind
        factor = 1.0 if self.bandwidth == "loo" else float(self.bandwidth)
        width = factor * median_distance(kind, rows)
        return self._with_landmarks(rows, np.ones(rows.shape[1]), width, kind)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        rows = self._dense(inputs)
        outputs = self._kernel(params, rows)
        if "projection" in params:
            outputs = outputs @ params["projection"]
            outputs -= params["offset"]
        missing = self.units - outputs.shape[1]
        if missing:
            outputs = np.pad(outputs, ((0, 0), (0, missing)))
        dtype = np.result_type(inputs.dtype, np.float32)
        return namespace(inputs).asarray(outputs.astype(dtype, copy=False))

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        landmarks = np.asarray(params["landmarks"], dtype=np.float64)
        rank = params.get("projection", landmarks.T).shape[1]
        features = self.forward(params, landmarks)[:, :rank]
        decoder = LeastSquares().solve(System.from_arrays(features, landmarks))
        wanted = np.asarray(to_numpy(targets))[:, : features.shape[1]]
        found = wanted @ decoder.coef + decoder.intercept
        return namespace(targets).asarray(found.astype(targets.dtype, copy=False))

    def solve(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        table = targets if context.y_targets is None else context.y_targets
        groups = group_rows(inputs, table, context.sample_weight, context.memory)
        streams = context.rng.spawn(2)
        order = streams[0].permutation(len(groups))
        chosen = np.sort(order[: self.units])
        choice, excess = self._choose(inputs, groups, order, streams[1])
        rows = self._dense(inputs[groups.first[chosen]])
        exact = len(chosen) == len(groups) and len(groups) <= EIGEN_ROWS
        weight = groups.weight if exact else None
        solved = self._with_landmarks(
            rows, choice.scales, choice.bandwidth, choice.kind, weight, context.dtype
        )
        report = {
            "kind": choice.kind,
            "bandwidth": choice.bandwidth,
            "rounds": choice.rounds,
            "landmarks": len(chosen),
            "optimism": excess,
        }
        if not np.isnan(choice.error):
            report["kernel_loo_error"] = float(choice.error)
        outputs = None if weight is None else self._known(solved, groups, inputs, context)
        return Solved(solved, outputs, optimism=excess - 1, report=report)

    def _known(
        self, params: Params, groups: Groups, inputs: Rows, context: Context
    ) -> np.ndarray | None:
        """Outputs for training rows that are all landmarks, where they may be kept, else None."""
        n_rows, size = len(groups), np.dtype(context.dtype).itemsize
        if n_rows < len(inputs) or context.backend != "numpy":
            return None
        if not context.memory.keep(size * n_rows * self.units):
            return None
        outputs = np.zeros((n_rows, self.units), context.dtype)
        features = principal_features(params["projection"], groups.weight)
        outputs[groups.first, : features.shape[1]] = features
        return outputs

    def folded(
        self, params: Params, weights: np.ndarray, intercept: np.ndarray
    ) -> tuple[Params, np.ndarray, np.ndarray]:
        """Move the projection from the params into the weights and intercept of a layer behind.

        That layer is linear in the features alone, with weights of shape (units, n_outputs).
        """
        projection, offset = params["projection"], params["offset"]
        feature_weights = weights[: projection.shape[1]]
        moved = np.zeros_like(weights)
        moved[: len(projection)] = projection @ feature_weights
        rest = {name: value for name, value in params.items() if name not in FOLDED}
        return rest, moved, intercept - offset @ feature_weights

    def exchange_effects(self, params: Params, weights: np.ndarray) -> np.ndarray:
        """Tell how much a linear read-out changes where a feature takes another landmark's value.

        Parameters
        ----------
        params : dict
        weights : ndarray of shape (units, n_targets)
            Those of the read-out.

        Returns
        -------
        effects : ndarray of shape (n_features,)
        """
        landmarks = np.asarray(params["landmarks"], dtype=np.float64)
        dual = weights[: len(landmarks)]
        if "projection" in params:
            dual = params["projection"] @ weights[: params["projection"].shape[1]]
        landmarks = landmarks * (params["feature_scales"] / params["bandwidth"])
        return exchange_effects(KINDS[int(params["kind"])], landmarks, dual)

    def _choose(
        self, inputs: Rows, groups: Groups, order: np.ndarray, rng: np.random.Generator
    ) -> tuple[Choice, float]:
        """The best kernel for some rows and, with fewer landmarks than rows, for as few of them.

        Also how much larger squared errors are than leave-one-out says.
        """
        some = groups.take(np.sort(order[:SEARCH_ROWS]))
        rows = self._dense(inputs[some.first])
        kinds = self._kinds(len(groups), rows.shape[1])
        choices = choose_kernels(kinds, self.bandwidth, self.reweight, rows, some, rng)
        searched = choices
        if len(choices) > 1 and self.units < len(groups):
            most = min(MODEL_ROWS, MODEL_LANDMARKS * len(groups) // self.units)
            model = groups.take(order[:most])
            count = max(1, len(model) * self.units // len(groups))
            choices = judged_on(choices, self._dense(inputs[model.first]), model, count)
        best = best_of(choices)
        share = len(some) / len(groups)
        if rows.shape[1] < MANY_SCALES * len(some) or share < LEAST_SHARE:
            return best, 1.0
        known = searched[kinds.index(best.kind)]
        return best, 1 + share * (optimism(known, rows, some, rng) - 1)

    def _kinds(self, n_rows: int, n_features: int) -> Sequence[str]:
        if self.kind != "auto":
            return (self.kind,)
        dear = n_rows * min(n_rows, self.units) * n_features > MANHATTAN_BUDGET
        dear = dear or n_features > MANHATTAN_COLUMNS
        return ("laplace", "gaussian") if dear else KINDS

    def _kernel(self, params: Params, rows: np.ndarray) -> np.ndarray:
        scale = (params["feature_scales"] / params["bandwidth"]).astype(rows.dtype)
        kind = KINDS[int(params["kind"])]
        return kernel_matrix(kind, rows, params["landmarks"], scale)

    def _with_landmarks(
        self,
        rows: np.ndarray,
        scales: np.ndarray,
        bandwidth: float,
        kind: str,
        weight: np.ndarray | None = None,
        dtype: Any = np.float64,
    ) -> Params:
        """Params with these landmarks; `weight` is given where they are all rows there are."""
        params = {
            "landmarks": rows,
            "feature_scales": scales,
            "bandwidth": np.asarray(bandwidth, dtype=np.float64),
            "kind": np.asarray(KINDS.index(kind)),
        }
        kernel = self._kernel(params, rows)
        if weight is None:
            params["projection"] = whitening(kernel)
            params["offset"] = np.zeros(len(rows))
        else:
            params["projection"], params["offset"] = principal(kernel, weight, np.finfo(dtype).eps)
        return {
            name: value.astype(dtype, copy=False) if value.dtype.kind == "f" else value
            for name, value in params.items()
        }

    def _dense(self, inputs: Any) -> np.ndarray:
        if sp.issparse(inputs):
            if inputs.shape[1] > DENSE_COLUMNS:
                raise ValueError(
                    f"Kernel keeps its landmarks dense, and sparse inputs have "
                    f"{inputs.shape[1]} columns: reduce them first, for instance with "
                    "EstimatorLayer(TruncatedSVD(50))."
                )
            inputs = inputs.toarray()
        single = inputs.dtype == np.float32 and inputs.shape[1] > SINGLE_COLUMNS
        return np.asarray(to_numpy(inputs), dtype=np.float32 if single else np.float64)
