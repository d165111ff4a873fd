"""Reports each solved layer or epoch to scikit-learn's callbacks and to the terminal."""

import sys

from .._compat import HAS_CALLBACKS, has_callbacks


class Progress:
    """Called with each history entry; a true return stops the training.

    Parameters
    ----------
    estimator : object
        Its `verbose` from 1 on prints one line for each entry.
    n_steps : int
        Largest number of entries that may come.
    rows : tuple (X, y)
        What callbacks may score on.
    """

    def __init__(self, estimator, n_steps, rows):
        self.estimator, self.verbose = estimator, estimator.verbose
        self.X, self.y = rows
        self.n_steps, self.step = n_steps, 0
        self._seconds = 0.0
        self._task = None

    def __enter__(self):
        if HAS_CALLBACKS and has_callbacks(self.estimator):
            context = self.estimator._init_callback_context(max_subtasks=self.n_steps)
            self._task = context.call_on_fit_task_begin(
                estimator=self.estimator, X=self.X, y=self.y
            )
        return self

    def __call__(self, entry, params):
        self.step += 1
        self._seconds += entry["seconds"]
        if self.verbose:
            print(f"[{self.step}/{self.n_steps}] {self._line(entry)}", file=sys.stdout)
        if self._task is None:
            return False
        name = f"layer {entry['layer']}" if "layer" in entry else f"epoch {entry['epoch']}"
        task = self._task.subcontext(task_name=name)
        task = task.call_on_fit_task_begin(estimator=self.estimator, X=self.X, y=self.y)
        # between the layers of a sweep there is no read-out yet that could predict
        complete = entry.get("index", None) in (None, self.estimator._network.readout)
        return bool(
            task.call_on_fit_task_end(
                estimator=self.estimator,
                X=self.X,
                y=self.y,
                reconstruction_attributes=(
                    (lambda: self.estimator._fitted_so_far(params)) if complete else None
                ),
            )
        )

    def _line(self, entry):
        if "epoch" in entry:
            left = self._seconds / self.step * (self.n_steps - self.step)
            figures = "  ".join(
                f"{name} {value:.4g}"
                for name, value in entry.items()
                if name not in ("epoch", "seconds") and isinstance(value, float)
            )
            return f"epoch {entry['epoch']}  {figures}  {entry['seconds']:.2f} s, {left:.0f} s left"
        error = entry.get("loo_error")
        note = ""
        if error is not None and "alpha" in entry:
            note = f"  alpha {entry['alpha']:.3g}  {entry['criterion']} error {error:.4g}"
        elif error is not None:
            note = f"  loo error {error:.4g}"
        return f"{entry['layer']}  {entry['seconds']:.2f} s{note}"

    def __exit__(self, *exception):
        if self._task is not None and exception[0] is None:
            self._task.call_on_fit_task_end(estimator=self.estimator, X=self.X, y=self.y)
