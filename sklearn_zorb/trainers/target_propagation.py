"""Target propagation: each block of layers gets a target of its own and meets it alone."""

from numbers import Integral, Real

import numpy as np

from .._compat import Interval, StrOptions
from .direct_feedback import block_starts
from .gradient import GradientTrainer
from .local import LocalRule
from .optimizers import make_optimizer
from .reverse import initial_reverse
from .structure import straight_through, substitute
from .target_rules import TARGET_RULES


class TargetPropagation(GradientTrainer):
    r"""Every block of layers learns to meet a target of its own.

    A block is a layer with weights and what follows it. The last hidden block's target is its
    output moved against the gradient of the loss, :math:`t_L = h_L - \gamma\, \partial \ell /
    \partial h_L`. Each target is then carried down through its block f, and every block
    takes a step on :math:`\tfrac12 \|f_l(h_{l-1}) - t_l\|^2`, its input held fixed; the
    read-out on the loss itself. How targets are carried down is the rule:

    - "gradient": :math:`t_{l-1} = h_{l-1} - \gamma\, \partial \tfrac12 \|f_l(h_{l-1}) - t_l\|^2 /
      \partial h_{l-1}`. With :math:`\gamma = 1` the steps are those of backpropagation.
    - "least_squares": the pre-activation moves by the gradient, from u to u', and the input by
      the damped least-squares solution, :math:`t_{l-1} = h_{l-1} + (u' - u)(W^\top W + \alpha
      I)^{-1} W^\top`. For `Dense` blocks; others take "gradient".
    - "reconstruction": :math:`t_{l-1} = G_l(t_l)`, with a learned inverse :math:`G_l(h_l)
      \approx h_{l-1}`.
    - "difference": :math:`t_{l-1} = h_{l-1} + G_l(t_l) - G_l(h_l)`, which corrects for what the
      inverse misses.
    - "candidates": of several inputs around the present one, for each row the one that brings
      the output closest to its target. It needs no derivative.

    `Sign` and `Step` may stand in any block: within it, they have the derivative of a clipped
    identity.

    Parameters
    ----------
    targets : str or dict, default="least_squares"
        A rule, or rules by the name of the layer with which a block begins, such as
        ``{"dense_2": "gradient"}``; blocks not named take "least_squares".
    target_rate : float, default=1.0
        The step :math:`\gamma`.
    alpha : float, default=1e-4
        Damping of "least_squares".
    delta : bool, default=True
        Whether least squares solve for the change of the input, or for the input itself.
    update : {"gradient", "least_squares"}, default="gradient"
        What brings a block's output to its target: a gradient step, or the ridge solution for
        the change of its weights, of which the learning rate is the share taken; pass
        ``optimizer="sgd"`` then. For `Dense` blocks; others take gradient steps.
    alpha_update : float, default=1e-3
        Ridge penalty of that solution, on sums over the batch.
    reverse_units : int or None, default=None
        Hidden ReLU units of the inverse G; None makes it affine.
    reverse_rate : float, default=1e-3
        Learning rate of the inverses, which Adam trains.
    noise : float, default=0.0
        Spread of the noise on :math:`h_l` while the inverses are trained.
    regularize : float, default=0.0
        Weight of :math:`\tfrac12 \|G(t_l) - G(h_l)\|^2` in the loss of the inverses.
    tie : bool, default=False
        Whether an inverse is the transposed weights of its block and an intercept of its own.
    alternate_every : int or None, default=None
        Steps for which forward weights, then the inverses, are trained in turn; None trains
        both at every step.
    n_candidates : int, default=8
    candidates : {"normal", "passes"}, default="normal"
        Whether candidates are drawn around the present input, or are further passes through
        the stochastic layers below.
    candidate_spread : float, default=0.1
        Spread of the normal ones.
    diagnostics : bool, default=False
        Whether the history tells how much each step reduces the loss of its batch
        (``error_reduction``) and each block its local loss (``local_reduction_1``, ...).
    optimizer : str or callable, default="adam"
        As in `Backprop`.
    learning_rate : float or None, default=None
    batch_size : "auto" or int, default="auto"
    max_epochs : int, default=200
    schedule : str, callable or None, default=None
    tol : float or None, default=1e-4
    patience : int, default=10
    tol_loss : float or None, default=None
    early_stopping : bool, default=False
    validation_fraction : float, default=0.1
    optimizer_params : dict or None, default=None

    References
    ----------
    .. [1] D.-H. Lee, S. Zhang, A. Fischer and Y. Bengio, "Difference Target Propagation",
       ECML PKDD 2015, arXiv:1412.7525.
    .. [2] Y. Bengio, "How Auto-Encoders Could Provide Credit Assignment in Deep Networks via
       Target Propagation", arXiv:1407.7906.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import TargetPropagation
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NetworkClassifier(
    ...     "Dense[16] Tanh Dense[16] Tanh", trainer=TargetPropagation(), random_state=0
    ... ).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    needs_derivatives = False
    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "targets": [StrOptions(set(TARGET_RULES)), dict],
        "target_rate": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "delta": ["boolean"],
        "update": [StrOptions({"gradient", "least_squares"})],
        "alpha_update": [Interval(Real, 0, None, closed="neither")],
        "reverse_units": [None, Interval(Integral, 1, None, closed="left")],
        "reverse_rate": [Interval(Real, 0, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "regularize": [Interval(Real, 0, None, closed="left")],
        "tie": ["boolean"],
        "alternate_every": [None, Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 2, None, closed="left")],
        "candidates": [StrOptions({"normal", "passes"})],
        "candidate_spread": [Interval(Real, 0, None, closed="neither")],
        "diagnostics": ["boolean"],
    }
    del _parameter_constraints["straight_through"]

    def __init__(
        self,
        targets="least_squares",
        *,
        target_rate=1.0,
        alpha=1e-4,
        delta=True,
        update="gradient",
        alpha_update=1e-3,
        reverse_units=None,
        reverse_rate=1e-3,
        noise=0.0,
        regularize=0.0,
        tie=False,
        alternate_every=None,
        n_candidates=8,
        candidates="normal",
        candidate_spread=0.1,
        diagnostics=False,
        optimizer="adam",
        learning_rate=None,
        batch_size="auto",
        max_epochs=200,
        schedule=None,
        tol=1e-4,
        patience=10,
        tol_loss=None,
        early_stopping=False,
        validation_fraction=0.1,
        optimizer_params=None,
    ):
        self.targets = targets
        self.target_rate = target_rate
        self.alpha = alpha
        self.delta = delta
        self.update = update
        self.alpha_update = alpha_update
        self.reverse_units = reverse_units
        self.reverse_rate = reverse_rate
        self.noise = noise
        self.regularize = regularize
        self.tie = tie
        self.alternate_every = alternate_every
        self.n_candidates = n_candidates
        self.candidates = candidates
        self.candidate_spread = candidate_spread
        self.diagnostics = diagnostics
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
        self.optimizer_params = optimizer_params

    def _prepare(self, network):
        if network.taps != (network.readout,):
            raise ValueError("TargetPropagation needs readout='last': blocks in a single line.")
        layers = [substitute(layer, straight_through) for layer in network.layers]
        return super()._prepare(network.with_layers(layers))

    def _rule(self, objective, moved):
        starts = block_starts(objective.network, moved)
        if not starts:
            raise ValueError(
                "TargetPropagation needs a hidden layer with weights, such as Dense(100)."
            )
        return LocalRule(
            starts, self._target_rules(objective.network, starts), self.target_rate, self.alpha,
            self.delta, self.update, self.alpha_update, self.noise, self.regularize, self.tie,
            self.alternate_every or 0, self.n_candidates, self.candidates, self.candidate_spread,
            make_optimizer("adam", None), self.reverse_rate, self.diagnostics,
        )  # fmt: skip

    def _target_rules(self, network, starts):
        """The rule of each block."""
        names = [network.names[i] for i in starts]
        if isinstance(self.targets, str):
            return (self.targets,) * len(names)
        for name, rule in self.targets.items():
            if name not in names or rule not in TARGET_RULES:
                raise ValueError(
                    f"targets={{{name!r}: {rule!r}}}: blocks begin with {names}, and rules are "
                    f"{sorted(TARGET_RULES)}."
                )
        return tuple(self.targets.get(name, "least_squares") for name in names)

    def _memory(self, objective, params, moved, context):
        rule = self._rule(objective, moved)
        reverse = initial_reverse(rule, objective.network, self.reverse_units, context)
        state = rule.reverse_optimizer.build().init(reverse)
        return {"reverse": reverse, "state": state, "step": np.int32(0)}
