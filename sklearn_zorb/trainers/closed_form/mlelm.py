"""Multi-layer extreme learning machine: hidden layers from random autoencoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...layers import Dense, sequence
from ...layers.initializers import orthogonal
from ...linalg import namespace
from ...rows import Rows, Targets
from ..base import Trainer
from .zorb import ZORB, History, Sweep, own_context, solve_readout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...layers.base import Context, Solved
    from ...network import Network
    from ...typing import Float, Params
    from ..base import OnStep, TrainingResult


class MLELM(Trainer):
    r"""Train an autoencoder for each layer, then a read-out: the multi-layer ELM.

    Each `Dense` layer, input side first, gets the transposed output weights of an extreme
    learning machine that reproduces the layer's input from random orthogonal features,

    .. math:: H = g(X A + b), \quad W = \beta^\top,
              \quad \beta = \operatorname{argmin} \|H \beta - X\|^2 + \alpha \|\beta\|^2,

    g being the activation that follows the layer. Targets have no part in it; the read-out is
    solved by ridge regression. Layers of other kinds that read targets stay as they are drawn.

    Parameters
    ----------
    alpha : "loo", float or None, default=None
        Ridge penalty of every solve; None takes the estimator's, "loo" in
        `NetworkClassifier`.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``.

    See Also
    --------
    ZORB : With ``relaxation=0`` it is the plain extreme learning machine.

    References
    ----------
    .. [1] L. L. C. Kasun, H. Zhou, G.-B. Huang and C. M. Vong, "Representational Learning with
       Extreme Learning Machine for Big Data", IEEE Intelligent Systems 28 (2013).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import MLELM
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = MLELM()
    >>> model = NetworkClassifier("Dense[20] Sigmoid", trainer=rule, random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    _parameter_constraints = {
        name: ZORB._parameter_constraints[name] for name in ("alpha", "rcond")
    }

    def __init__(
        self, *, alpha: Float | Literal["loo"] | None = None, rcond: Float | None = None
    ) -> None:
        self.alpha = alpha
        self.rcond = rcond

    def n_steps(self, network: Network) -> int:
        return sum(layer.traits.learns for layer in network.hidden) + 1

    def _fit(
        self,
        network: Network,
        params: Sequence[Params],
        inputs: Rows,
        targets: Targets,
        context: Context,
        *,
        on_step: OnStep | None = None,
    ) -> TrainingResult:
        context = own_context(self, context)
        context, history = context.replace(rng=context.rng.spawn(1)[0]), History(network, on_step)
        params, rows, blocks = list(params), inputs, {}
        for i, layer in enumerate(network.hidden):
            if i in network.taps:
                blocks[i] = rows
            solved, stream = None, context.rng.spawn(1)[0]
            if isinstance(layer, Dense):
                here = context.replace(rng=stream, relaxation=1.0)
                solved = _autoencode(network, params, i, rows[:], here)
                params[i] = {**params[i], **solved.params}
            elif layer.traits.learns and not layer.traits.reads_targets:
                nothing: Any = None
                solved = layer.solve(params[i], rows, nothing, context.replace(rng=stream))
                params[i] = solved.params
            rows = rows.then(layer, params[i]).kept(context)
            if history.add(i, solved, params):
                break
        seen = network.seen(blocks, rows)
        params, solved = solve_readout(network, params, seen, targets, context)
        history.add(network.readout, solved, params)
        status = "stopped by callback" if history.stopped else "converged"
        return Sweep(params, np.inf, solved.left_out, seen).result(history.entries, status)


def _autoencode(
    network: Network, params: Sequence[Params], i: int, inputs: Any, context: Context
) -> Solved:
    """The weights of `Dense` layer i, from what reaches it alone."""
    layer, xp = network.layers[i], namespace(inputs)
    width, units = inputs.shape[1], int(layer.units)
    random = orthogonal(context.rng, (width + 1, units))[:-1]
    bias = context.rng.normal(size=units)
    bias /= np.linalg.norm(bias)
    features = inputs @ xp.asarray(random, context.dtype) + xp.asarray(bias, context.dtype)
    learners = [j for j in range(i + 1, network.readout) if network.layers[j].traits.learns]
    between = slice(i + 1, min(learners, default=network.readout))
    features = sequence.forward(network.layers[between], params[between], features)
    features = Rows(features.reshape(features.shape[0], -1))
    back = Dense(width, alpha=layer.alpha, rcond=layer.rcond)
    start = back.init(context.rng, features.shape[1:])
    goal = inputs.toarray() if hasattr(inputs, "toarray") else inputs
    solved = back.solve(start, features, Targets(goal), context)
    weights = solved.params["weights"].T
    solved.params = {"weights": weights, "intercept": 0 * weights[0]}
    return solved
