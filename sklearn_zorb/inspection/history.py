"""Curves over the epochs of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ..estimators.layered import BaseLayered


class HistoryDisplay:
    """Draw learning curves: loss, score and other figures of a history, epoch by epoch.

    Build it with `from_estimator`.

    Parameters
    ----------
    curves : dict of str to ndarray
        A curve for each name.
    steps : ndarray
        Where on the axis: epochs, or seconds since the start.
    step_name : str
        Name of that axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.inspection import HistoryDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NetworkClassifier("Dense[4] Tanh", random_state=0).fit(X, y)
    >>> display = HistoryDisplay.from_estimator(model)
    >>> [line.get_label() for line in display.lines_]
    ['loss']
    """

    def __init__(
        self, curves: dict[str, np.ndarray], steps: np.ndarray, step_name: str = "epoch"
    ) -> None:
        self.curves = curves
        self.steps = steps
        self.step_name = step_name

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseLayered,
        names: Sequence[str] | None = None,
        *,
        against: Literal["epoch", "seconds"] = "epoch",
        ax: Axes | None = None,
        **line_options: Any,
    ) -> Self:
        """Draw curves of a fitted estimator.

        Parameters
        ----------
        estimator : object
            A fitted `NetworkClassifier` or `NetworkRegressor`.
        names : list of str or None, default=None
            Keys of its history, such as "loss", "score" or "validation_loss"; None is the
            losses.
        against : {"epoch", "seconds"}, default="epoch"
            What the curves are drawn over: epochs, or the time they took.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **line_options : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : HistoryDisplay
        """
        history = _epochs(estimator)
        names = cls._names(history, names)
        curves = {
            name: np.array([entry.get(name, np.nan) for entry in history], dtype=float)
            for name in names
        }
        return cls(curves, *_steps(history, against)).plot(ax=ax, **line_options)

    @classmethod
    def _names(cls, history: list[dict[str, Any]], names: Sequence[str] | None) -> list[str]:
        known = [name for name in history[0] if name not in ("epoch", "seconds")]
        if names is None:
            return [name for name in known if cls._by_default(name)]
        missing = [name for name in names if name not in known]
        if missing:
            raise ValueError(f"names={missing} are not in the history, which has {known}.")
        return list(names)

    @staticmethod
    def _by_default(name: str) -> bool:
        return name in ("loss", "validation_loss")

    def plot(self, ax: Axes | None = None, **line_options: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
        **line_options : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : HistoryDisplay
        """
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots()[1]
        self.lines_ = []
        for name, values in self.curves.items():
            label = name.replace("_", " ")
            self.lines_ += ax.plot(self.steps, values, **{"label": label, **line_options})
        ax.set(xlabel=self.step_name)
        self._decorate(ax)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _decorate(self, ax: Axes) -> None:
        if all(name.endswith("loss") for name in self.curves):
            ax.set_ylabel("loss")


class ErrorReductionDisplay(HistoryDisplay):
    r"""Draw global and local error reduction, epoch by epoch.

    The global one is what a step takes from the loss of its batch, :math:`\Delta E_G = C -
    C'`; a local one what it takes from the local loss of a block, :math:`\Delta E_L =
    \ell(f_l(h), t) - \ell(f_l'(h), t)`. Negative values tell of instability, tiny ones of
    targets that hardly move. Rules trained by epochs record the global one with
    ``diagnostics=True``, `TargetPropagation` the local ones as well.

    Parameters
    ----------
    curves : dict of str to ndarray
    steps : ndarray
    step_name : str

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.inspection import ErrorReductionDisplay
    >>> from sklearn_zorb.trainers import TargetPropagation
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = TargetPropagation(diagnostics=True, max_epochs=5)
    >>> model = NetworkClassifier("Dense[4] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> display = ErrorReductionDisplay.from_estimator(model)
    >>> [line.get_label() for line in display.lines_]
    ['error reduction', 'local reduction 1']
    """

    @staticmethod
    def _by_default(name: str) -> bool:
        return name.endswith("_reduction") or name.startswith("local_reduction")

    @classmethod
    def _names(cls, history: list[dict[str, Any]], names: Sequence[str] | None) -> list[str]:
        found = super()._names(history, names)
        if not found:
            raise ValueError(
                "the history holds no error reductions; fit with a rule that records them, such "
                "as trainer=Backprop(diagnostics=True) or TargetPropagation(diagnostics=True)."
            )
        return found

    def _decorate(self, ax: Axes) -> None:
        ax.axhline(0, color="0.7", linewidth=0.8)
        ax.set_ylabel("error reduction")


def _epochs(estimator: BaseLayered) -> list[dict[str, Any]]:
    """The history of a fitted estimator that was trained by epochs."""
    check_is_fitted(estimator)
    history = estimator.history_
    if getattr(estimator, "status_", None) == "diverged" and not history:
        raise ValueError(
            f"{type(estimator).__name__} diverged in its first epoch: there is no curve to draw. "
            "Lower the learning rate of its trainer."
        )
    if not history or "epoch" not in history[0]:
        raise ValueError(
            f"{type(estimator).__name__} was not trained epoch by epoch: there is no curve to "
            "draw. Closed forms have a history of layers."
        )
    return history


def _steps(history: list[dict[str, Any]], against: str) -> tuple[np.ndarray, str]:
    """Positions of the epochs on the axis, and its name."""
    if against == "epoch":
        return np.array([entry["epoch"] for entry in history]), "epoch"
    if against == "seconds":
        return np.cumsum([entry["seconds"] for entry in history]), "seconds"
    raise ValueError(f"against={against!r} must be 'epoch' or 'seconds'.")
