"""What is known of the columns of a table before anything is fitted to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Int

KINDS = ("number", "category", "time", "duration", "nothing")
# the code of a level that training rows did not have; a gap is NaN
NEW_LEVEL = -1.0


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "time", "duration", "nothing"}
        Booleans and numbers of any type are numbers, text is a category. Times are seconds
        since 1970, durations are seconds. Of a column of gaps only nothing is known, and
        whatever comes in it later is a gap, too.
    levels : tuple of str
        Of a category, in the order of their codes.
    counts : tuple of float
        How much training rows with each level weigh.
    ordered : bool
        Whether the order of the levels means something.
    gaps : bool
        Whether training rows had gaps.
    zone : bool
        Whether times are those of a time zone.
    """

    name: str
    kind: str = "number"
    levels: tuple[str, ...] = ()
    counts: tuple[float, ...] = ()
    ordered: bool = False
    gaps: bool = False
    zone: bool = False

    def frequent(self, most: Int) -> np.ndarray:
        """Codes of levels that are told apart: no more than `most`, and none seen but once.

        Leaving out the only row of a level leaves nothing that is known of it, as of a level
        that is new.
        """
        counts = np.asarray(self.counts)
        once = min(1.0, counts[counts > 0].min(initial=1.0))
        order = np.argsort(-counts, kind="stable")[:most]
        return np.sort(order[counts[order] > once])


@dataclass(frozen=True, repr=False)
class Schema:
    """The columns of a table, which all widths behind it follow from.

    Rows of the table are floating-point numbers: a category is the code of its level, or -1
    where training rows did not have it, and a gap is NaN.

    Attributes
    ----------
    columns : tuple of Column

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.rows.schema import Column, Schema
    >>> schema = Schema((Column("size"), Column("city", "category", ("Bonn", "Rome"))))
    >>> table = np.array([[1.5, 0.0], [np.nan, 1.0], [2.5, 0.0]])
    >>> schema.counted(table, None).columns[1].counts
    (2.0, 1.0)
    """

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Schema({len(self)} columns)"

    @property
    def plain(self) -> bool:
        """Whether the table holds numbers without gaps only."""
        return all(column.kind == "number" and not column.gaps for column in self.columns)

    def of_kind(self, *kinds: str) -> list[int]:
        """Indices of the columns of some kinds."""
        return [j for j, column in enumerate(self.columns) if column.kind in kinds]

    def counted(self, X: np.ndarray, weights: np.ndarray | None) -> Schema:
        """The same with what training rows say: which columns have gaps, and counts of levels."""
        columns = []
        for column, values in zip(self.columns, X.T, strict=True):
            missing = np.isnan(values)
            counts: Sequence[float] = ()
            if column.kind == "category":
                codes = values[~missing].astype(int)
                known_weights = None if weights is None else weights[~missing]
                counts = np.bincount(codes, known_weights, minlength=len(column.levels)).tolist()
            known = replace(column, gaps=bool(missing.any()), counts=tuple(map(float, counts)))
            columns.append(known)
        return Schema(tuple(columns))


def is_typed(schema: Schema | None) -> TypeGuard[Schema]:
    """Tell whether layers need `Encode` to read columns of this schema; None is plain numbers."""
    return schema is not None and not schema.plain


def gaps_only(n_columns: int) -> Schema:
    """Describe an array of numbers, some of which are missing."""
    return Schema(tuple(Column(f"x{j}") for j in range(n_columns)))
