"""Gradient descent without a backward pass."""

from dataclasses import dataclass
from numbers import Integral

from ..._compat import Interval, StrOptions
from .directions import (
    DISTRIBUTIONS,
    GRANULARITIES,
    draw,
    each_group,
    groups,
    scaled_by_group,
    standardized,
)
from .objective import merge
from .rule import Rule
from .trainer import GradientTrainer


@dataclass(frozen=True)
class Forward(Rule):
    """Directional derivatives along random directions, times the directions."""

    granularity: str
    n_directions: int
    distribution: str
    standardize: bool
    chunk_size: int

    diagnostics: bool = False

    def direction(self, objective, moved, params, memory, batch, key):
        import jax

        noise_key, own_key = jax.random.split(key)
        numbers, n_groups = groups(moved, self.granularity)

        def loss(moved):
            return objective.loss(merge(params, moved), batch, noise_key)

        def along(tangent):
            return jax.jvp(loss, (moved,), (tangent,), has_aux=True)[1:]

        def one(key):
            direction = draw(key, moved, self.distribution)
            if self.standardize:
                direction = standardized(direction)
            tangents = each_group(direction, numbers, n_groups)
            slopes, aux = jax.vmap(along, out_axes=(0, None))(tangents)
            return scaled_by_group(direction, slopes, numbers), aux

        keys = jax.random.split(own_key, self.n_directions)
        if self.n_directions == 1:
            gradient, aux = one(keys[0])
            return gradient, aux, memory
        size = min(self.chunk_size, self.n_directions)
        gradients, aux = jax.lax.map(one, keys, batch_size=size)
        mean = jax.tree.map(lambda g: g.mean(axis=0), gradients)
        return mean, jax.tree.map(lambda a: a[0], aux), memory


class ForwardGradient(GradientTrainer):
    r"""Gradient descent from directional derivatives alone.

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
    optimizer : str or callable, default="sgd"
        As in `Backprop`.
    learning_rate : float or None, default=None
        None is 0.05 for full batches and 0.005 for mini-batches.
    batch_size : "auto" or int, default="auto"
    max_epochs : int, default=500
    schedule : str, callable or None, default=None
        As in `Backprop`.
    tol : float or None, default=None
        As in `Backprop`; the loss is noisy, so that None is safer.
    patience : int, default=50
    tol_loss : float or None, default=None
        Training stops when the mean loss of an epoch is no larger.
    early_stopping : bool, default=False
    validation_fraction : float, default=0.1
    straight_through : bool, default=False
        Whether `Sign` and `Step` have the derivative of a clipped identity.
    optimizer_params : dict or None, default=None
    diagnostics : bool, default=False
        Whether the history tells what each step took from the loss of its own batch, in the
        mean over the epoch (``error_reduction``), which takes one more pass.

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
    _rates = (0.05, 0.005)

    def __init__(
        self,
        granularity="tensor",
        *,
        n_directions=1,
        distribution="normal",
        standardize=False,
        chunk_size=16,
        optimizer="sgd",
        learning_rate=None,
        batch_size="auto",
        max_epochs=500,
        schedule=None,
        tol=None,
        patience=50,
        tol_loss=None,
        early_stopping=False,
        validation_fraction=0.1,
        straight_through=False,
        optimizer_params=None,
        diagnostics=False,
    ):
        self.granularity = granularity
        self.n_directions = n_directions
        self.distribution = distribution
        self.standardize = standardize
        self.chunk_size = chunk_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.schedule = schedule
        self.tol = tol
        self.patience = patience
        self.tol_loss = tol_loss
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.straight_through = straight_through
        self.optimizer_params = optimizer_params
        self.diagnostics = diagnostics

    def _rule(self, objective, moved):
        return Forward(
            self.granularity, self.n_directions, self.distribution, self.standardize,
            self.chunk_size, self.diagnostics,
        )  # fmt: skip
