"""Gradient descent by backpropagation: the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from .trainer import GradientTrainer
from .update import Update

if TYPE_CHECKING:
    from .objective import Objective, Tree


@dataclass(eq=False, repr=False)
class Backprop(GradientTrainer):
    r"""Train by gradient descent on mini-batches, with backpropagation.

    With :math:`g = \nabla_\theta \frac{1}{|B|} \sum_{i \in B} w_i \ell(f_\theta(x_i), t_i)` the
    optimiser takes one step for every batch B. The loss is softmax cross-entropy, logistic
    loss or half the squared error, as the task has it; a final `Softmax` or `Sigmoid` is
    merged with it.

    Parameters
    ----------
    optimizer : str or callable, default="adam"
        Name of a function of optax, such as "sgd", "adamw" or "lion", or
        ``factory(learning_rate)`` that returns an optax transformation.
    batch_size : "auto" or int, default="auto"
        "auto" takes all rows up to 1000, and 128 at a time above.
    max_epochs : int, default=200
    tol : float or None, default=1e-4
        Training stops when the loss has not fallen by this much for `patience` epochs; None
        runs `max_epochs`.
    patience : int, default=10
    tol_loss : float or None, default=None
        Training stops when the mean loss of an epoch is no larger.
    early_stopping : bool, default=False
        Whether to watch the loss of rows held out, in place of the training loss, and to
        return the params at its lowest.
    validation_fraction : float, default=0.1
        Share of the rows held out for it.
    diagnostics : bool, default=False
        Whether the history tells what each step took from the loss of its own batch, in the
        mean over the epoch (``error_reduction``), which takes one more pass.
    learning_rate : float or None, default=None
        None is 0.01 for full batches and 0.001 for mini-batches, which suit Adam.
    schedule : {"constant", "cosine", "linear", "warmup_cosine"}, callable or None, default=None
        Factor of the learning rate over the training; ``f(share)`` maps the share of steps
        done, in [0, 1), to it. It starts afresh with a warm start; ``partial_fit``, which knows
        of no end, has none.
    optimizer_params : dict or None, default=None
        More arguments of the optimiser, such as ``{"momentum": 0.9}``.
    straight_through : bool, default=False
        Whether `Sign` and `Step` pass gradients on as a clipped identity does.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by
       back-propagating errors", Nature 323 (1986).
    .. [2] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import Backprop
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = Backprop(max_epochs=50)
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    optimizer: str | Callable[..., Any] = "adam"
    _: KW_ONLY
    straight_through: bool = False

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        return Update.of(self)
