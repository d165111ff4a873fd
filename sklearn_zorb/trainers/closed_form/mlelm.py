"""Multi-layer extreme learning machine: hidden layers from random autoencoders."""

import numpy as np

from ...layers import Dense, sequence
from ...layers.initializers import orthogonal
from ...layers.rows import Columns, advance, as_array
from ...linalg import get_backend
from ...targets import Targets
from .zorb import ZORB


class MLELM(ZORB):
    r"""Multi-layer extreme learning machine: one autoencoder a layer, then a read-out.

    Each `Dense` layer, input side first, gets the transposed output weights of an extreme
    learning machine that reproduces the layer's input from random orthogonal features,

    .. math:: H = g(X A + b), \quad \beta = \arg\min \|H \beta - X\|^2 + \alpha \|\beta\|^2,
              \quad W = \beta^\top,

    g being the activation that follows the layer. Targets have no part in it; the read-out is
    solved by ridge regression. Layers of other kinds stay as they are drawn.

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
    >>> model.score(X, y) > 0.8
    True
    """

    n_sweeps, relaxation, backward_rcond = 1, None, None
    _parameter_constraints = {
        name: ZORB._parameter_constraints[name] for name in ("alpha", "rcond")
    }

    def __init__(self, *, alpha=None, rcond=None):
        self.alpha = alpha
        self.rcond = rcond

    def _first_targets(self, network, params, inputs, targets, context):
        return targets, params

    def _solve_hidden(self, network, params, inputs, front, context, recorder):
        params, rows, blocks = list(params), inputs, {}
        streams = context.rng.spawn(network.readout)
        for i, layer in enumerate(network.hidden):
            if i in network.taps:
                blocks[i] = rows
            report = None
            if isinstance(layer, Dense):
                own = context.replace(rng=streams[i], relaxation=1.0, refine=False)
                solved = self._autoencode(network, params, i, rows, own)
                params[i], report = {**params[i], **solved.params}, solved.report
            rows = advance(rows, layer, params[i], context)
            recorder(i, report, params)
        return params, Columns([*(blocks[j] for j in network.taps if j in blocks), rows])

    def _autoencode(self, network, params, i, rows, context):
        """The weights of `Dense` layer i, from what reaches it alone."""
        layer, asarray = network.layers[i], get_backend(context.backend).asarray
        inputs = as_array(rows)
        width, units = inputs.shape[1], layer.n_units(inputs.shape[1:])
        random = orthogonal(context.rng, (width + 1, units))[:-1]
        bias = context.rng.normal(size=units)
        bias /= np.linalg.norm(bias)
        features = inputs @ asarray(random, context.dtype) + asarray(bias, context.dtype)
        end = next(
            (j for j in range(i + 1, network.readout) if network.layers[j].solvable),
            network.readout,
        )
        features = sequence.forward(network.layers[i + 1 : end], params[i + 1 : end], features)
        features = features.reshape(features.shape[0], -1)
        back = Dense(width, alpha=layer.alpha, rcond=layer.rcond)
        start = back.init(context.rng, features.shape[1:])
        goal = inputs.toarray() if hasattr(inputs, "toarray") else inputs
        solved = back.solve(start, features, Targets(goal), context)
        weights = solved.params["weights"].T
        solved.params = {"weights": weights, "intercept": 0 * weights[0]}
        return solved
