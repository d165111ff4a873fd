"""How much work default lists of columns are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..layers import PiecewiseLinear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..layers import Auto

# columns beyond which boosting takes minutes, and more landmarks bring as much
BOOSTED_COLUMNS = 500
# folds where boosting stands beside kernels that know as much
FEW_FOLDS = 4
# leaves of a boosted tree, at least and at most, and rows for each of them
LEAVES, LEAF_ROWS = (16, 31), 250


@dataclass(frozen=True)
class Effort:
    """How much work a default list is.

    Attributes
    ----------
    exact_rows : int
        A kernel is exact up to here; its cost grows with the cube of the rows.
    landmarks : tuple of two int
        Least and most of them beyond.
    flops : float
        What their products may take.
    smooth : int
        Landmarks of a second, smooth kernel, which costs next to nothing.
    forests : tuple of dict
        Settings of `Trees`, for each forest.
    boosted_rows : int
        From here on boosting finds what a forest and a thousand landmarks miss.
    category_rows : int
        The same where most columns are categories, whose levels boosting parts as it likes.
    boosting : dict
        Settings of `Trees`.
    folds : tuple of two int
        Most of them and fewest: more leave each model more rows to learn from, and one more to
        take the mean of, which counts where rows are few.
    fold_rows : int
        Rows that all folds together may have.
    kernel : str
        Kind of the first kernel.
    ramps : int
        Most of them, of all columns together.
    beside : dict
        Attributes that are others where boosting stands beside the other blocks.
    """

    exact_rows: int
    landmarks: tuple[int, int]
    flops: float
    smooth: int
    forests: tuple[dict[str, Any], ...]
    boosted_rows: int
    category_rows: int
    boosting: dict[str, Any]
    folds: tuple[int, int]
    fold_rows: int
    kernel: Literal["auto", "laplace", "laplace_l1", "gaussian"] = "auto"
    ramps: int = 800
    beside: Mapping[str, Any] = field(default_factory=dict)

    def beside_boosting(self) -> Effort:
        """What is left for the other blocks."""
        return replace(self, **self.beside)

    def n_landmarks(self, n_rows: int, n_features: int) -> int:
        """Of many columns half as many, as each distance takes longer."""
        exact = self.exact_rows if n_features <= BOOSTED_COLUMNS else self.exact_rows // 2
        if n_rows <= exact:
            return n_rows
        return int(np.clip(min(np.sqrt(self.flops / n_rows), exact), *self.landmarks))

    def bends(self, n_columns: int) -> PiecewiseLinear:
        """Ramps of so many columns."""
        usual = PiecewiseLinear()
        return PiecewiseLinear(min(usual.n_bins, max(1, self.ramps // n_columns)))

    def boosted(self, n_rows: int) -> dict[str, Any]:
        """Settings of boosting: many small trees for few rows, few large ones for many."""
        most, fewest = self.folds
        if n_rows < self.boosted_rows:
            most = min(most, FEW_FOLDS)
        return {
            "cv": int(np.clip(self.fold_rows // n_rows, fewest, most)),
            "max_leaf_nodes": int(np.clip(n_rows // LEAF_ROWS, *LEAVES)),
            **self.boosting,
        }

    def sized(self, auto: Auto) -> Effort:
        """The same work, but for the sizes that an `Auto` gives."""
        forest = _given(
            n_estimators=auto.trees, max_features=auto.max_features,
            min_samples_leaf=auto.min_samples_leaf,
        )  # fmt: skip
        boosting = _given(
            n_estimators=auto.rounds, learning_rate=auto.learning_rate,
            max_leaf_nodes=auto.max_leaf_nodes,
        )  # fmt: skip
        return replace(
            self,
            forests=tuple({**one, **forest} for one in self.forests),
            boosting={**self.boosting, **boosting},
            kernel=self.kernel if auto.kernel == "auto" else auto.kernel,
        )


def n_landmarks(auto: Auto, usual: int, n_rows: int) -> int:
    """How many landmarks an `Auto` asks for, where `usual` ones would be taken."""
    asked = auto.landmarks
    if asked is None:
        return usual
    return int(np.clip(asked if isinstance(asked, Integral) else round(asked * usual), 1, n_rows))


def _given(**sizes: Any) -> dict[str, Any]:
    return {name: size for name, size in sizes.items() if size is not None}


# half of the rounds at twice the rate, half of the bins and half of the columns at a time err as
# little, and take a third of the time; with 63 bins, columns with long tails lose too much
QUICK = {"n_estimators": 50, "learning_rate": 0.2, "max_features": 0.5, "max_bins": 127}
EFFORTS = {
    "fast": Effort(
        exact_rows=1000, landmarks=(200, 500), flops=2e9, smooth=0,
        forests=({"n_estimators": 50, "max_samples": 2000},), boosted_rows=6000, category_rows=1000,
        boosting={**QUICK, "n_estimators": 25, "learning_rate": 0.3, "max_bins": 63},
        folds=(2, 2), fold_rows=1,
        # smooth kernels do with few landmarks, and trees find what is not smooth
        beside={
            "kernel": "gaussian", "ramps": 200,
            "forests": ({"n_estimators": 25, "max_samples": 4000},),
        },
    ),
    "auto": Effort(
        exact_rows=3000, landmarks=(500, 2000), flops=2e10, smooth=500,
        forests=({"max_samples": 5000},), boosted_rows=2000, category_rows=400,
        boosting=QUICK, folds=(5, 2), fold_rows=60_000,
    ),
    "best": Effort(
        exact_rows=5000, landmarks=(1500, 4000), flops=2e11, smooth=1000,
        forests=({"n_estimators": 500}, {"n_estimators": 500, "kind": "extra"}),
        boosted_rows=200, category_rows=100,
        boosting={"n_estimators": 200, "learning_rate": 0.05, "max_features": 0.5},
        folds=(10, 5), fold_rows=100_000,
    ),
}  # fmt: skip
