"""What the estimators share that take any rule: precision, warm starts, epochs one by one."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from .._compat import StrOptions
from ..layers import sequence
from ..network import fits
from ..trainers import Backprop, Trainer
from .base import PRECISIONS, BaseLayered
from .partial import refuse_balanced_batches

# as many rows as a full batch of Backprop takes: above, single precision is enough
DOUBLE_ROWS = 1000


@dataclass(frozen=True)
class Part:
    """A call of partial_fit: whether there was one before, and the classes to expect."""

    going_on: bool
    classes: np.ndarray | None = None


def goes_on(estimator):
    """Whether the rule can go on from where it was, or an AttributeError that says why not."""
    refuse_balanced_batches(estimator)
    trainer = estimator.trainer
    if trainer is None or trainer.incremental:
        return True
    raise AttributeError(
        f"{type(trainer).__name__} solves for all rows at once: it has no partial_fit. Pass "
        "trainer=Backprop(), or another rule that goes epoch by epoch."
    )


class BaseNetwork(BaseLayered):
    """Base of `NetworkClassifier` and `NetworkRegressor`."""

    _parameter_constraints = {
        **BaseLayered._parameter_constraints,
        "trainer": [None, Trainer],
        "dtype": [StrOptions({"auto", "float64", "float32"}), *PRECISIONS],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }
    n_jobs = None
    # what partial_fit tells the steps of fit while it runs
    _part = None

    def _make_trainer(self):
        trainer = Backprop() if self.trainer is None else clone(self.trainer)
        if self._part is not None:
            # what comes after these rows is not known: nothing may depend on when it ends
            changes = {"max_epochs": 1, "early_stopping": False, "tol": None, "schedule": None}
            own = trainer.get_params(deep=False)
            trainer.set_params(**{name: changes[name] for name in changes.keys() & own.keys()})
        return trainer

    @available_if(goes_on)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on these rows, from the present params on.

        The first call draws the params; scales of columns and targets are those of its rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.
        """
        return self._fit_part(X, y, sample_weight, Part(hasattr(self, "params_")))

    def _fit_part(self, X, y, sample_weight, part):
        """One epoch of `fit` that keeps what is there."""
        if part.going_on:
            validate_data(self, X, reset=False, skip_check_array=True)
        history = list(self.history_) if part.going_on else []
        self._part = part
        try:
            self.fit(X, y, sample_weight=sample_weight)
        finally:
            del self._part
        for entry in self.history_:
            entry["epoch"] = len(history)
        self.history_ = history + self.history_
        self.n_iter_ = len(self.history_)
        return self

    def _choose_dtype(self, n_samples):
        if self._part is not None and self._part.going_on:
            return self._fit_dtype
        if isinstance(self.dtype, str) and self.dtype == "auto":
            return np.dtype(np.float64 if n_samples <= DOUBLE_ROWS else np.float32)
        return np.dtype(self.dtype)

    def _context(self, *parts):
        # for closed forms: what ZORBClassifier has by default
        return super()._context(*parts).replace(relaxation=0.3)

    def _initial_params(self, network, rng, data, context):
        fresh = super()._initial_params(network, rng, data, context)
        wanted = self.warm_start if self._part is None else self._part.going_on
        self._going_on = wanted and fits(getattr(self, "params_", None), fresh)
        return sequence.cast(self.params_, context.dtype) if self._going_on else fresh

    def _run(self, trainer, *parts, on_step):
        going_on = trainer.incremental and self._going_on
        state = self._trainer_state if going_on else None
        return trainer.fit(*parts, on_step=on_step, state=state)

    def _fitted_so_far(self, params):
        attributes = super()._fitted_so_far(params() if callable(params) else params)
        return {**attributes, "_logits": self._make_trainer().output == "logits"}

    def _finish_fit(self, network, trainer, result, encoder, context):
        del self._going_on
        self.status_ = result.status
        self.n_iter_ = len(result.history)
        self._trainer_state = result.state
        self._logits = trainer.output == "logits"
        if result.loo_outputs is not None:
            super()._finish_fit(network, trainer, result, encoder, context)
