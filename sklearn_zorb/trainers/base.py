"""The contract between estimators and training rules."""

from dataclasses import dataclass, field
from typing import Any

from .._compat import WithParameters


@dataclass
class TrainingResult:
    """What a trainer returns.

    Attributes
    ----------
    params : list of dict
        One for each layer of the network.
    history : list of dict
        One entry for each layer solved or epoch run.
    status : str
        "converged", or what stopped the training early.
    loo_outputs : array of shape (n_samples, n_outputs) or None
        Each row's read-out by the model without it, where the rule has it.
    state : dict or None
        What a rule that can go on, epoch after epoch, wants back then.
    """

    params: list
    history: list = field(default_factory=list)
    status: str = "converged"
    loo_outputs: Any = None
    state: Any = None


class Trainer(WithParameters):
    """Base class of training rules: hyperparameters and one method.

    Attributes
    ----------
    output : {"scores", "logits"}
        What the trained read-out says of classes: least-squares scores about 0 and 1, or
        logarithms of odds.
    incremental : bool
        Whether `fit` takes the `state` of a former result and goes on from there.
    """

    output = "scores"
    incremental = False

    _parameter_constraints: dict = {}

    def n_steps(self, network):
        """Largest number of history entries, for progress bars."""
        return 1

    def fit(self, network, params, inputs, targets, context, *, on_step=None):
        """Train `params`.

        Parameters
        ----------
        network : Network
        params : list of dict
            Initial params; not changed.
        inputs : array or Rows of shape (n_samples, ...)
        targets : Targets of shape (n_samples, n_outputs)
        context : Context
        on_step : callable or None
            Called as ``on_step(entry, params)`` with each history entry and a function
            that returns the present params; a true return stops the training.

        Returns
        -------
        TrainingResult
        """
        raise NotImplementedError
