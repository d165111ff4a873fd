"""Reports each solved layer to scikit-learn's callbacks and to the terminal."""

import sys

from .._compat import HAS_CALLBACKS


class Progress:
    """Called with each history entry; a true return stops the training.

    Parameters
    ----------
    estimator : object
    network : Network
    n_sweeps : int
    verbose : int
        From 1 on, one line is printed for each layer.
    """

    def __init__(self, estimator, network, n_sweeps, verbose):
        self.estimator, self.verbose = estimator, verbose
        solvable = sum(layer.solvable for layer in network.hidden) + 1
        self.n_steps, self.step = solvable * n_sweeps, 0
        self._task = None

    def __enter__(self):
        if HAS_CALLBACKS:
            context = self.estimator._init_callback_context(max_subtasks=self.n_steps)
            self._task = context.call_on_fit_task_begin(estimator=self.estimator)
        return self

    def __call__(self, entry, params):
        self.step += 1
        if self.verbose:
            error = entry.get("loo_error")
            note = "" if error is None else f"  alpha {entry['alpha']:.3g}  {entry['criterion']} error {error:.4g}"  # noqa: E501
            print(
                f"[{self.step}/{self.n_steps}] {entry['layer']}  {entry['seconds']:.2f} s{note}",
                file=sys.stdout,
            )
        if self._task is None:
            return False
        task = self._task.subcontext(task_name=f"layer {entry['layer']}")
        task = task.call_on_fit_task_begin(estimator=self.estimator)
        return bool(task.call_on_fit_task_end(estimator=self.estimator))

    def __exit__(self, *exception):
        if self._task is not None and exception[0] is None:
            self._task.call_on_fit_task_end(estimator=self.estimator)
