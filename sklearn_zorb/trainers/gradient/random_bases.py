"""Descent within random subspaces that are drawn again from seeds, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

from joblib import effective_n_jobs

from ..._compat import Interval, StrOptions
from .bases_update import KINDS, BasesUpdate
from .directions import DISTRIBUTIONS
from .sketch import Sketch
from .subspace import Subspace
from .trainer import GradientTrainer
from .workers import SharedRun

if TYPE_CHECKING:
    from ...typing import Float, Int
    from .objective import Objective, Tree
    from .run import Run
    from .update import Update


@dataclass(eq=False, repr=False)
class RandomBases(GradientTrainer):
    r"""Train within a random subspace of few dimensions.

    With d random directions, the columns of :math:`\Phi_t`, "rbd" takes the gradient with
    respect to coordinates in their span, at every step in a new one:

    .. math:: c_t = \Phi_t^\top \nabla L(\theta_t), \qquad
              \theta_{t+1} = \theta_t - \eta\, \Phi_t c_t .

    "fpd" keeps the first :math:`\Phi` for ever: all of the training happens in one subspace.
    "nes" needs no derivative. It ranks the losses at :math:`\theta + \sigma \varepsilon_k` and
    moves by :math:`-\frac{\eta}{\sigma d} \sum_k r_k \phi_k`. "gradients" spans the subspace
    by the last d gradients, each of unit length. Directions come from seeds, in chunks, and
    are drawn anew wherever they are needed.

    Parameters
    ----------
    kind : {"rbd", "fpd", "nes", "gradients"}, default="rbd"
    n_directions : int, default=250
        Dimension d of the subspace.
    distribution : {"rademacher", "normal", "sketch"}, default="rademacher"
        Of the entries of a direction. Signs take one random bit each, and a thirtieth of the
        time of normal numbers, to the same effect. With "sketch" (a count sketch) each weight
        belongs to one direction only, with a random sign: all coordinates are sums over parts
        of the gradient, in :math:`O(D)` for D weights, whatever d. It is not for "nes".
    normalize : {"auto", "tensor"}, default="auto"
        Whether directions are divided by the square root of the larger of D and d, or each
        tensor's part by that of its own number of weights, so that small tensors, such as the
        read-out's, move as far as large ones. Not for "gradients".
    antithetic : bool, default=False
        Whether "nes" tries each direction both ways, with half as many directions.
    sigma : float, default=0.01
        Spread of the perturbations of "nes".
    n_jobs : int or None, default=None
        Workers of joblib that share the rows of each batch: processes, or what
        `joblib.parallel_config` says. They hold the weights, draw the same directions and
        exchange coordinates only. None is 1 outside of such a context.
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
    early_stopping, validation_fraction : as in `Backprop`
    diagnostics : bool, default=False
        Whether the history tells the cosine between step and true gradient, which takes a
        gradient for every step of "nes", and what each step took from the loss of its own
        batch (``error_reduction``).
    optimizer : str or callable, default="sgd"
        As in `Backprop`.
    learning_rate : float or None, default=None
        None is 0.5, and 0.05 for "nes".
    schedule, optimizer_params, straight_through : as in `Backprop`

    Notes
    -----
    With `n_jobs`, each step sends every worker its rows and the coordinates, or losses, of the
    last steps, and gets its own back. Weights are sent at the start, and to a worker that has
    missed too many steps. The weights are those of one worker to rounding, except that noise
    layers and `BatchNorm` see the rows of each worker by themselves. A step costs some
    milliseconds more: it pays where the losses of "nes", or one gradient, take far longer.
    "rbd" has to draw its directions twice then; "gradients" has no random directions, and thus
    no coordinates to send.

    References
    ----------
    .. [1] F. Gressmann, Z. Eaton-Rosen and C. Luschi, "Improving Neural Network Training in
       Low Dimensional Random Bases", NeurIPS 2020, arXiv:2011.04720.
    .. [2] C. Li, H. Farkhoor, R. Liu and J. Yosinski, "Measuring the Intrinsic Dimension of
       Objective Landscapes", ICLR 2018, arXiv:1804.08838.
    .. [3] T. Salimans, J. Ho, X. Chen, S. Sidor and I. Sutskever, "Evolution Strategies as a
       Scalable Alternative to Reinforcement Learning", arXiv:1703.03864.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import RandomBases
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = RandomBases(n_directions=20)
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "kind": [StrOptions(set(KINDS))],
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "distribution": [StrOptions({*DISTRIBUTIONS, "sketch"})],
        "normalize": [StrOptions({"auto", "tensor"})],
        "antithetic": ["boolean"],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [None, Integral],
    }

    kind: Literal["rbd", "fpd", "nes", "gradients"] = "rbd"
    n_directions: Int = 250
    distribution: Literal["rademacher", "normal", "sketch"] = "rademacher"
    normalize: Literal["auto", "tensor"] = "auto"
    antithetic: bool = False
    sigma: Float = 0.01
    n_jobs: Int | None = None
    _: KW_ONLY
    optimizer: str | Callable[..., Any] = "sgd"
    tol: Float | None = None
    patience: Int = 50
    straight_through: bool = False

    @property
    def needs_derivatives(self) -> bool:  # type: ignore[override]  # it depends on the kind
        return self.kind != "nes" or self.diagnostics

    @property
    def default_rates(self) -> tuple[float, float]:  # type: ignore[override]
        return (0.05, 0.05) if self.kind == "nes" else (0.5, 0.5)

    def _new_run(self, *parts: Any) -> Run:
        n_workers = effective_n_jobs(self.n_jobs)
        obstacle = self._obstacle()
        if n_workers == 1 or (self.n_jobs is None and obstacle):
            return super()._new_run(*parts)
        if obstacle:
            raise ValueError(f"n_jobs={self.n_jobs}: {obstacle}, or n_jobs=None.")
        return SharedRun(self, *parts, n_workers=n_workers)

    def _obstacle(self) -> str | None:
        """What workers, who exchange coordinates only, cannot share; None where they can."""
        if self.kind == "gradients":
            return "kind='gradients' has no coordinates in random directions; pass another kind"
        if self.diagnostics:
            return "diagnostics=True needs gradients of whole batches; pass diagnostics=False"
        return None

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        import jax

        sizes = tuple(int(leaf.size) for leaf in jax.tree.leaves(moved))
        self._check(sum(sizes))
        make = Sketch if self.distribution == "sketch" else Subspace
        count = int(self.n_directions) // (2 if self.antithetic else 1)
        subspace = make(sizes, count, self.distribution, self.normalize)
        return BasesUpdate.of(self, subspace=subspace)

    def _check(self, n_weights: int) -> None:
        """ValueError for settings that do not go together."""
        if self.distribution == "sketch" and self.kind == "nes":
            raise ValueError(
                "kind='nes' follows its directions one by one, and distribution='sketch' has "
                "products with all of them: pass distribution='rademacher'."
            )
        if self.distribution == "sketch" and self.n_directions > n_weights:
            raise ValueError(
                f"n_directions={self.n_directions} and distribution='sketch': the network has "
                f"{n_weights} weights only; pass fewer directions, or distribution='rademacher'."
            )
        if self.antithetic and self.kind != "nes":
            raise ValueError(
                f"antithetic=True is not for kind={self.kind!r}: pass antithetic=False."
            )
        if self.antithetic and self.n_directions % 2:
            raise ValueError(f"n_directions={self.n_directions} must be even if antithetic=True.")
