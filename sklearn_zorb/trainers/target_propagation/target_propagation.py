"""Target propagation: each block of layers gets a target of its own and meets it alone."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

from ..._compat import Interval, StrOptions
from ...layers import Dense
from ..gradient.direct_feedback import block_starts
from ..gradient.objective import trainable
from ..gradient.structure import check_differentiable
from ..gradient.trainer import GradientTrainer
from ..gradient.update import Update
from .local import LocalUpdate
from .rounds import SOLVED_TARGETS, Rounds, solved_layers
from .target_rules import TARGET_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...network import Network
    from ...typing import Float, Int, Params
    from ..gradient.objective import Objective, Tree
    from ..gradient.run import Run

UPDATES = ("gradient", "least_squares", "solve")


@dataclass(eq=False, repr=False)
class TargetPropagation(GradientTrainer):
    r"""Train each block of layers to meet a target of its own.

    A block is a layer with weights and what follows it. The last hidden block's target is its
    output moved against the gradient of the loss, :math:`t_L = h_L - \gamma\, \partial \ell /
    \partial h_L`. Each target is then carried down through its block f, and every block
    takes a step on :math:`E_l = \tfrac12 \|f_l(h_{l-1}) - t_l\|^2`, its input held fixed; the
    read-out on the loss itself. How targets are carried down is the rule:

    - "gradient": :math:`t_{l-1} = h_{l-1} - \gamma\, \partial E_l / \partial h_{l-1}`. With
      :math:`\gamma = 1` the steps are those of backpropagation.
    - "least_squares": the pre-activation moves by the gradient, from u to u', and the input by
      the damped least-squares solution, :math:`t_{l-1} = h_{l-1} + (u' - u) W^+` with
      :math:`W^+ = (W^\top W + \alpha I)^{-1} W^\top`. It is for `Dense` blocks; others take
      "gradient".
    - "reconstruction": :math:`t_{l-1} = G_l(t_l)`, with a learned inverse :math:`G_l(h_l)
      \approx h_{l-1}`.
    - "difference": :math:`t_{l-1} = h_{l-1} + G_l(t_l) - G_l(h_l)`, which corrects for what the
      inverse misses.
    - "candidates": of several inputs around the present one, for each row the one that brings
      the output closest to its target. It needs no derivative.

    `Sign` and `Step` may stand in any block: within it, they have the derivative of a clipped
    identity. Other layers without a derivative may only be solved, or stand before the first
    block.

    A layer that is solved, such as `Trees`, `EstimatorLayer`, or any other with ``update="solve"``,
    is fitted to its targets on all rows once an epoch (`n_keep` of `Trees` says how many fits are
    averaged). What it hands on in between is fixed:
    it cuts the network into parts, which learn by mini-batches, the uppermost from the loss and
    each other one from the target of the solved layer's input. The target of its output is
    the part's input, moved against the gradient. That of its own input is found by "difference",
    "reconstruction" or "candidates", its `invert` in place of a learned inverse: for `Trees`,
    the training row of the closest output.

    Parameters
    ----------
    targets : str or dict, default="least_squares"
        A rule, or rules by the name of the layer with which a block begins, such as
        ``{"dense_2": "gradient"}``; blocks not named take "least_squares", solved layers
        "difference", as they do where they have no such rule.
    target_rate : float, default=1.0
        The step :math:`\gamma`.
    n_target_steps : int, default=1
        Steps of this size for a target found by the gradient.
    alpha : float, default=1e-4
        Damping of "least_squares".
    delta : bool, default=True
        Whether least squares solve for the change of the input, or for the input itself.
    update : {"gradient", "least_squares", "solve"} or dict, default="gradient"
        What brings a block's output to its target: a gradient step; the ridge solution, for a
        batch, for the change of its weights; or `solve` on all rows. "least_squares" is for
        `Dense` blocks, others take gradient steps. A dict says it by the name of the first
        layer; blocks not named take "gradient". Layers without trainable weights, such as
        `Trees`, are solved whatever it says.
    update_rate : float, default=0.1
        Share of the solution that is taken by "least_squares", and by `Dense` and `Conv2D`
        layers that are solved.
    alpha_update : float, default=1e-3
        Ridge penalty of "least_squares", on sums over the batch, in which weights add up to
        its number of distinct rows: a weight of 3 is not three copies beside it.
    n_updates : int, default=1
        Steps of every block towards one target: all for the same batch, or, in a network with
        solved layers, that many for each batch of an epoch.
    order : {"target_first", "update_first"}, default="target_first"
        Whether targets are carried down through a block before its step, or after.
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
        Blocks that do not begin with `Dense`, or end in another width, have untied inverses.
    alternate_every : int or None, default=None
        Steps for which forward weights, then the inverses, are trained in turn; None trains
        both at every step.
    n_candidates : int, default=8
    candidates : {"normal", "passes"}, default="normal"
        Whether candidates are drawn around the present input, or are further passes through
        the stochastic layers below.
    candidate_spread : float, default=0.1
        Spread of the normal ones.
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
    early_stopping, validation_fraction : as in `Backprop`
    diagnostics : bool, default=False
        Whether the history tells how much each step reduces the loss of its batch
        (``error_reduction``) and each block its local loss (``local_reduction_1``, ...).
    optimizer, learning_rate, schedule, optimizer_params : as in `Backprop`

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
    >>> print(model.score(X, y))
    0.9...
    """

    needs_derivatives = False
    solves = True
    straight_through = True
    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "targets": [StrOptions(set(TARGET_RULES)), dict],
        "target_rate": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "delta": ["boolean"],
        "n_target_steps": [Interval(Integral, 1, None, closed="left")],
        "update": [StrOptions(set(UPDATES)), dict],
        "update_rate": [Interval(Real, 0, 1, closed="right")],
        "n_updates": [Interval(Integral, 1, None, closed="left")],
        "order": [StrOptions({"target_first", "update_first"})],
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
    }

    targets: str | dict[str, str] = "least_squares"
    target_rate: Float = 1.0
    n_target_steps: Int = 1
    alpha: Float = 1e-4
    delta: bool = True
    update: str | dict[str, str] = "gradient"
    update_rate: Float = 0.1
    alpha_update: Float = 1e-3
    n_updates: Int = 1
    order: Literal["target_first", "update_first"] = "target_first"
    reverse_units: Int | None = None
    reverse_rate: Float = 1e-3
    noise: Float = 0.0
    regularize: Float = 0.0
    tie: bool = False
    alternate_every: Int | None = None
    n_candidates: Int = 8
    candidates: Literal["normal", "passes"] = "normal"
    candidate_spread: Float = 0.1

    def _prepared(self, network: Network) -> Network:
        if network.taps != (network.readout,):
            raise ValueError("TargetPropagation needs readout='last': blocks in a single line.")
        return super()._prepared(network)

    def _new_run(self, network: Network, params: Sequence[Params], *parts: Any) -> Run:
        starts = block_starts(network, trainable(network, params))
        cuts = solved_layers(network, self.update)
        if not starts and not cuts:
            raise ValueError(
                "TargetPropagation needs a hidden layer with weights, such as Dense(100)."
            )
        self._check_names(network, starts, cuts)
        # errors pass through whatever stands above the first block, but for solved layers
        above = range(min([*starts, *cuts]), network.readout)
        check_differentiable(network, type(self).__name__, set(above) - set(cuts))
        if cuts:
            return Rounds(self, cuts, network, params, *parts)
        return super()._new_run(network, params, *parts)

    def _check_names(self, network: Network, starts: Sequence[int], cuts: Sequence[int]) -> None:
        """ValueError for a name or a rule, in a dict, that no block or layer has."""
        solved = {network.names[i] for i in cuts}
        names = [network.names[i] for i in sorted({*starts, *cuts})]
        for option, allowed in (("targets", TARGET_RULES), ("update", UPDATES)):
            chosen = getattr(self, option)
            for name, rule in chosen.items() if isinstance(chosen, dict) else ():
                rules = SOLVED_TARGETS if option == "targets" and name in solved else allowed
                if name not in names or rule not in rules:
                    raise ValueError(
                        f"{option}={{{name!r}: {rule!r}}}: blocks begin with {names}, and rules "
                        f"are {sorted(rules)}."
                    )

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        starts = block_starts(objective.network, moved)
        if not starts:
            # a part of a network, with nothing but what it ends in: the loss says it all
            return Update(diagnostics=self.diagnostics)
        names = [objective.network.names[i] for i in starts]
        # there is a ridge solution for Dense layers only
        updates = tuple(
            update if isinstance(objective.network.layers[i], Dense) else "gradient"
            for i, update in zip(starts, by_name(self.update, names, "gradient"), strict=True)
        )
        rules = by_name(self.targets, names, "least_squares")
        return LocalUpdate.of(self, starts=starts, rules=rules, updates=updates)


def by_name(option: str | dict[str, str], names: Sequence[str], default: str) -> tuple[str, ...]:
    """One choice for each block, from one for all or from a dict by name."""
    if isinstance(option, str):
        return (option,) * len(names)
    return tuple(option.get(name, default) for name in names)
