"""Gradient descent without a backward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._compat import Interval, StrOptions
from .directions import (
    DISTRIBUTIONS,
    GRANULARITIES,
    draw_flat,
    flattened,
    groups,
    standardized,
)
from .objective import merge
from .trainer import GradientTrainer
from .update import Update

if TYPE_CHECKING:
    from ...typing import Float, Int
    from .objective import Aux, Batch, Objective, Tree


@dataclass(frozen=True, kw_only=True)
class ForwardUpdate(Update):
    """Directional derivatives along random directions, times the directions."""

    granularity: str
    n_directions: int
    distribution: str
    standardize: bool
    chunk_size: int

    def direction(
        self, objective: Objective, moved: Tree, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Tree, Aux, Tree]:
        import jax
        from jax import numpy as jnp
        from jax.flatten_util import ravel_pytree

        flat, unravel = ravel_pytree(moved)
        noise_key, own_key = jax.random.split(key)
        numbers = groups(moved, self.granularity)
        of_group = np.arange(numbers.max() + 1)[:, None] == numbers

        def loss(moved: Tree) -> Any:
            return objective.loss(merge(params, moved), batch, noise_key)

        def along(tangent: Any) -> Any:
            return jax.jvp(loss, (moved,), (unravel(tangent),), has_aux=True)[1:]

        def one(key: Any) -> Any:
            direction = draw_flat(key, flat.size, flat.dtype, self.distribution)
            if self.standardize:
                direction = flattened(standardized(unravel(direction)))
            slopes, aux = jax.vmap(along, out_axes=(0, None))(jnp.where(of_group, direction, 0))
            return slopes[numbers] * direction, aux

        keys = jax.random.split(own_key, self.n_directions)
        if self.n_directions == 1:
            mean, aux = one(keys[0])
        else:
            size = min(self.chunk_size, self.n_directions)
            found, aux = jax.lax.map(one, keys, batch_size=size)
            mean, aux = found.mean(axis=0), jax.tree.map(lambda a: a[0], aux)
        return unravel(mean), aux, memory


@dataclass(eq=False, repr=False)
class ForwardGradient(GradientTrainer):
    r"""Train by gradient descent from directional derivatives alone.

    For a random direction v of zero mean and unit covariance,

    .. math:: g = (\nabla L \cdot v)\, v, \qquad \mathbb{E}[g] = \nabla L,

    where one forward pass with dual numbers gives :math:`\nabla L \cdot v` exactly, together
    with the loss. Its variance grows with the number of weights that share a direction:
    separate directions for each tensor cost one pass each and keep it down.

    Parameters
    ----------
    granularity : {"tensor", "layer", "joint"}, default="tensor"
        Whether each tensor, each layer or the whole network has a derivative of its own.
    n_directions : int, default=1
        Directions averaged for a step.
    distribution : {"normal", "rademacher"}, default="normal"
        Of the entries of v. Rademacher signs give the smaller variance.
    standardize : bool, default=False
        Whether each tensor of v is shifted and scaled to zero mean and unit variance, as
        published. The mean of a tensor then never changes, and the gradient is biased.
    chunk_size : int, default=16
        Directions that are followed at the same time.
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
        The loss is noisy, so that a tol of None is safer.
    early_stopping, validation_fraction, diagnostics : as in `Backprop`
    optimizer : str or callable, default="sgd"
        As in `Backprop`.
    learning_rate : float or None, default=None
        None is 0.05 for full batches and 0.005 for mini-batches.
    schedule, optimizer_params, straight_through : as in `Backprop`

    References
    ----------
    .. [1] A. G. Baydin, B. A. Pearlmutter, D. Syme, F. Wood and P. Torr, "Gradients without
       Backpropagation", arXiv:2202.08587.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import ForwardGradient
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = ForwardGradient(tol_loss=0.3)
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> model.status_, model.score(X, y) > 0.8
    ('converged', True)
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "granularity": [StrOptions(set(GRANULARITIES))],
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "distribution": [StrOptions(set(DISTRIBUTIONS))],
        "standardize": ["boolean"],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
    }
    default_rates = (0.05, 0.005)

    granularity: Literal["tensor", "layer", "joint"] = "tensor"
    n_directions: Int = 1
    distribution: Literal["normal", "rademacher"] = "normal"
    standardize: bool = False
    chunk_size: Int = 16
    _: KW_ONLY
    optimizer: str | Callable[..., Any] = "sgd"
    max_epochs: Int = 500
    tol: Float | None = None
    patience: Int = 50
    straight_through: bool = False

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        return ForwardUpdate.of(self)
