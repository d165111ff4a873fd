"""Going on where a fit was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..rows.programs import structure_key
from .layered import BaseLayered

if TYPE_CHECKING:
    from .fitting import Call
    from .model import FittedModel
    from .progress import Progress

# parameters that may change in between: they change no model
FREE = ("client", "memory_limit", "n_jobs", "random_state", "verbose", "warm_start")


class GoesOn(BaseLayered):
    """Mixin of estimators whose fits go on from the last layer that was solved."""

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
        """Of all that the solved layers depend on, but for the rows."""
        own = self.get_params(deep=False)
        return structure_key({name: own[name] for name in own if name not in FREE})
