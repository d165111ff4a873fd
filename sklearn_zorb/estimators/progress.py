"""Reports each solved layer, block or epoch to scikit-learn's callbacks and to the terminal."""

from __future__ import annotations

import math
import sys
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from .._compat import HAS_CALLBACKS, fit_task, has_callbacks
from ..layers.durations import TimeLeft, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Params
    from .model import FittedModel


class Progress:
    """Called with each history entry; a true return stops the training.

    Parameters
    ----------
    estimator : object
        Its `verbose` from 1 on prints one line for each entry, and for each block of a `Stack`.
    rows : tuple (X, y)
        What callbacks may score on.
    n_steps : int
        Largest number of entries that may come.
    model : FittedModel
        With initial params.
    attributes_of : callable
        ``attributes_of(model)``: attributes that make a copy of the estimator predict as it.
    """

    def __init__(
        self,
        estimator: Any,
        rows: tuple[Any, Any],
        n_steps: int,
        model: FittedModel,
        attributes_of: Callable[[FittedModel], dict[str, Any]],
    ) -> None:
        self.estimator, self.rows = estimator, rows
        self.n_steps, self.model, self.attributes_of = n_steps, model, attributes_of
        self.step, self.seconds, self.task = 0, 0.0, None
        self.entries: list[dict[str, Any]] = []
        self.params: Callable[[], list[Params]] | None = None
        # the task of a stack whose blocks are being solved; these may be in several threads
        self.stack, self.lock = None, Lock()

    def __enter__(self) -> Self:
        if self.estimator.verbose:
            _ = self._time_left  # which begins now
        if HAS_CALLBACKS and has_callbacks(self.estimator):
            self.task = fit_task(self.estimator, self.n_steps)
            self._begin(self.task)
        return self

    def __call__(self, entry: dict[str, Any], params: Callable[[], list[Params]]) -> bool:
        self.step += 1
        self.entries.append(entry)
        self.params = params
        self.seconds += entry["seconds"]
        if self.estimator.verbose:
            print(f"[{self.step}/{self.n_steps}] {self._line(entry)}", file=sys.stdout)
        if self.task is None:
            return False
        name = f"layer {entry['layer']}" if "layer" in entry else f"epoch {entry['epoch']}"
        task = self.stack or self._begin(self.task.subcontext(task_name=name))
        self.stack = None
        # between the layers of a sweep there is no read-out that could predict
        complete = entry.get("index", self.readout) == self.readout

        def attributes() -> dict[str, Any]:
            return self.attributes_of(self.model.replace(params=params()))

        return bool(self._end(task, reconstruction_attributes=attributes if complete else None))

    @property
    def on_block(self) -> Callable[[dict[str, Any]], None] | None:
        """What is called after each block of a `Stack`; None where nobody listens."""
        return self._block if self.estimator.verbose or self.task is not None else None

    def _block(self, entry: dict[str, Any]) -> None:
        name = self.model.network.names[self.readout]
        with self.lock:
            if self.estimator.verbose:
                print(
                    f"{name}: block {entry['block']} of {entry['blocks']}, {entry['layer']}  "
                    f"{_time(entry['seconds'], entry['left'])}",
                    flush=True,
                )
            if self.task is None:
                return
            if self.stack is None:
                task = self.task.subcontext(task_name=f"layer {name}", max_subtasks=entry["blocks"])
                self.stack = self._begin(task)
            # it is trained as a whole: no callback stops it
            self._end(self._begin(self.stack.subcontext(task_name=f"block {entry['block']}")))

    def __exit__(self, *exception: object) -> None:
        if self.task is not None and exception[0] is None:
            self._end(self.task)

    @property
    def readout(self) -> int:
        """Index of the read-out, the last layer that is solved."""
        return self.model.network.readout

    def finished(self) -> str:
        """What is done, in words."""
        entry = self.entries[-1]
        last = f"layer {entry['layer']!r}" if "layer" in entry else f"epoch {entry['epoch']}"
        return f"{self.step} of at most {self.n_steps} steps were finished, the last one {last}"

    def _begin(self, task: Any) -> Any:
        X, y = self.rows
        return task.call_on_fit_task_begin(estimator=self.estimator, X=X, y=y)

    def _end(self, task: Any, **options: Any) -> Any:
        X, y = self.rows
        return task.call_on_fit_task_end(estimator=self.estimator, X=X, y=y, **options)

    @cached_property
    def _learning(self) -> list[int]:
        """The layers that a sweep may solve."""
        network = self.model.network
        learning = [i for i, layer in enumerate(network.hidden) if layer.traits.learns]
        return [*learning, network.readout]

    @cached_property
    def _time_left(self) -> TimeLeft:
        """Of all sweeps over all layers."""
        network, shapes = self.model.network, list(self.model.network.shapes)
        if not network.stacked:
            shapes[network.readout] = (sum(math.prod(shapes[tap]) for tap in network.taps),)
        n_rows, n_outputs = self.rows[0].shape[0], self.model.decoder.n_outputs
        sweep = [
            seconds_of(network.layers[i], shapes[i], n_rows, n_outputs) for i in self._learning
        ]
        return TimeLeft(sweep * max(1, self.n_steps // len(sweep)))

    def _line(self, entry: dict[str, Any]) -> str:
        if "epoch" in entry:
            left = self.seconds / self.step * (self.n_steps - self.step)
            figures = "  ".join(
                f"{name} {value:.4g}"
                for name, value in entry.items()
                if name not in ("epoch", "seconds") and isinstance(value, float)
            )
            return f"epoch {entry['epoch']}  {figures}  {_time(entry['seconds'], left)}"
        error = entry.get("loo_error")
        note = ""
        if error is not None and "alpha" in entry:
            note = f"  alpha {entry['alpha']:.3g}  {entry['criterion']} error {error:.4g}"
        elif error is not None:
            note = f"  loo error {error:.4g}"
        part = entry["sweep"] * len(self._learning) + self._learning.index(entry["index"])
        left = self._time_left.after(part, entry["seconds"])
        return f"{entry['layer']}  {_time(entry['seconds'], left)}{note}"


def _time(seconds: float, left: float) -> str:
    return f"{seconds:.2f} s, {left:.0f} s left"
