"""Importances of columns as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ..typing import Int


class FeatureImportancesDisplay:
    """Draw importances of the columns of a fitted estimator, the largest on top.

    Build it with `from_estimator`.

    Parameters
    ----------
    importances : ndarray of shape (n_features,)
    feature_names : array-like of str of shape (n_features,)

    Attributes
    ----------
    bars_ : matplotlib BarContainer
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb import ZORBRegressor
    >>> from sklearn_zorb.inspection import FeatureImportancesDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = ZORBRegressor(random_state=0).fit(X, y)
    >>> display = FeatureImportancesDisplay.from_estimator(model, max_features=2)
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())
    ['bmi', 's5']
    """

    def __init__(self, importances: np.ndarray, feature_names: Sequence[str] | np.ndarray) -> None:
        self.importances = importances
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | np.ndarray | None = None,
        max_features: Int | None = 20,
        ax: Axes | None = None,
        **bar_options: Any,
    ) -> Self:
        """Draw the importances of a fitted estimator.

        Parameters
        ----------
        estimator : object
            Fitted, with ``feature_importances_``.
        feature_names : array-like of str of shape (n_features,) or None, default=None
            None takes those that the estimator saw in `fit`, or "x0", "x1" and so on.
        max_features : int or None, default=20
            How many of the largest to draw; None draws all.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **bar_options : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : FeatureImportancesDisplay

        Raises
        ------
        ValueError
            If there are not as many names as columns.
        """
        check_is_fitted(estimator)
        importances = estimator.feature_importances_
        if feature_names is None:
            numbered = [f"x{i}" for i in range(len(importances))]
            feature_names = getattr(estimator, "feature_names_in_", numbered)
        if len(feature_names) != len(importances):
            raise ValueError(
                f"feature_names has {len(feature_names)} names for {len(importances)} columns; "
                "pass one for each."
            )
        display = cls(importances, feature_names)
        return display.plot(max_features=max_features, ax=ax, **bar_options)

    def plot(
        self, *, max_features: Int | None = 20, ax: Axes | None = None, **bar_options: Any
    ) -> Self:
        """Draw the bars.

        Parameters
        ----------
        max_features : int or None, default=20
            How many of the largest to draw; None draws all.
        ax : matplotlib Axes or None, default=None
        **bar_options : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        self : FeatureImportancesDisplay
        """
        order = np.argsort(-self.importances, kind="stable")[:max_features]
        if ax is None:
            from matplotlib import pyplot

            size = (6, 1 + 0.25 * len(order))
            ax = pyplot.subplots(figsize=size, layout="constrained")[1]
        places = np.arange(len(order))
        self.bars_ = ax.barh(places, self.importances[order], **bar_options)
        ax.set_yticks(places, [str(self.feature_names[i]) for i in order])
        ax.invert_yaxis()
        ax.set_xlabel("share of importance")
        self.ax_, self.figure_ = ax, ax.figure
        return self
