"""What closed forms can do beside `fit`: rows in chunks, and going on after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

from .._compat import check_parameters
from ..rows.programs import structure_key
from .chunks import read_chunks
from .fitting import Call
from .layered import BaseLayered

if TYPE_CHECKING:
    from .model import FittedModel
    from .progress import Progress

# parameters that may change before a fit goes on: the model does not depend on them
FREE = ("client", "memory_limit", "n_jobs", "random_state", "verbose", "warm_start")


class ClosedForm(BaseLayered):
    """Mixin of estimators that need sums over rows only, and solve one layer after another."""

    def fit_chunks(self, chunks: Callable[[], Iterator[Any]] | Iterable[Any]) -> Self:
        """Train every layer on rows that come in chunks.

        For rows that do not fit in memory, or are made when they are read. Every solve goes
        through all chunks twice, and some passes more find out what the columns are: the model is
        that of `fit` on all rows, to rounding, for layers that are solved by least squares. Others,
        such as `Kernel` and `Trees`, learn from 50 000 rows. Half of `memory_limit` may be hidden
        activations, which are made again in each pass where they take more.

        Parameters
        ----------
        chunks : callable or iterable
            ``chunks()`` returns an iterator of (X, y) or (X, y, sample_weight), the same ones each
            time; or an object that can be gone through again and again, as a list.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError
            If `chunks` can be gone through once only, as a generator.
        ValueError
            If other chunks come in a later pass, and as of `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_zorb import ZORBRegressor
        >>> def chunks():
        ...     for seed in range(4):
        ...         X = np.random.default_rng(seed).normal(size=(500, 3))
        ...         yield X, np.sin(X[:, 0])
        >>> model = ZORBRegressor("Dense[50] Tanh", random_state=0).fit_chunks(chunks)
        >>> print(f"{model.loo_score_:.2f}")
        1.00
        """
        check_parameters(self)
        data, classes = read_chunks(self, chunks)
        return self._become(self._learned(data, Call(classes)))

    def _before(self, call: Call) -> FittedModel | None:
        return None if call.batch else self._unfinished()

    def _unfinished(self) -> FittedModel | None:
        """The model of a fit that was interrupted, where it is one of the same layers."""
        key, model = vars(self).get("_begun", (None, None))
        return model if self.warm_start and key == self._key() else None

    def _stopped(self, progress: Progress, error: BaseException) -> None:
        super()._stopped(progress, error)
        entries = [entry for entry in progress.entries if entry["sweep"] == 0]
        solved = [entry["index"] for entry in entries if entry["index"] < progress.readout]
        if progress.step > len(entries) or not solved or progress.params is None:
            return
        if not self.warm_start:
            error.add_note("With warm_start=True the next fit would go on from there.")
            return
        before = self._unfinished()
        known = [] if before is None or before.state is None else before.state["history"]
        known = [entry for entry in known if entry["index"] < entries[0]["index"]]
        state = {"first": 1 + max(solved), "history": [*known, *entries]}
        self._begun = self._key(), progress.model.replace(params=progress.params(), state=state)
        error.add_note("The next fit, of the same rows, goes on from there.")

    def _become(self, attributes: dict[str, Any]) -> Self:
        self.__dict__.pop("_begun", None)
        return super()._become(attributes)

    def _key(self) -> Any:
        """A hashable key of all settings that the solved layers depend on."""
        params = self.get_params(deep=False)
        return structure_key({name: params[name] for name in params if name not in FREE})
