"""Notes on standard error, on tables that are probably read in another way than was meant."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..estimators.columns import check_columns
from ..rows.frames import shown
from ..rows.schema import NEW_LEVEL

if TYPE_CHECKING:
    from .models import Model

ISO_DATE = r"\d{4}-\d\d-\d\d([T ]\d\d:?\d\d.*)?"

_MOSTLY = 0.75  # share of values of a kind from which on others look like slips
_WORD = r"[^\W\d_]"
_DATE = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)([T ].*)?"
    rf"|\d{{1,2}}[-. ]+{_WORD}{{3,9}}\.?[-,. ]+\d{{2,4}}.*"
    rf"|{_WORD}{{3,9}}\.? \d{{1,2}},? \d{{4}}.*"
)
# a sign, a currency, digits and what sets thousands apart, a power of ten, a unit
_NUMBER = (
    rf"\(?[-+\u2212]?\s*([^\w\s.,;:/?*#-]|{_WORD}{{1,3}}\.?\s)?\s*[-+\u2212]?\.?\d[\d.,'\u2019\s]*"
    rf"([eE][-+]?\d+)?\s*({_WORD}{{1,4}}[\u00b2\u00b3]?|[^\w\s.,;:/?*#-])?\)?"
)


def note(text: str) -> None:
    """Say something on standard error; work goes on."""
    warnings.warn(text, stacklevel=2)


def note_header(names: Any) -> None:
    """Note names of columns that are numbers, as in a file without a header.

    Whole numbers from 0 on are names that other programs give.
    """
    import pandas

    numbers = pandas.to_numeric(names, errors="coerce").dropna()
    if len(numbers) and numbers.tolist() != list(range(len(numbers))):
        note(
            f"the first row is taken for the header, and calls columns {shown(names)}: where it "
            "is a row of data, put a row of names above it"
        )


def note_columns(X: Any) -> None:
    """Note features that are probably read in another way than was meant.

    Parameters
    ----------
    X : DataFrame
    """
    for name in X:
        column = X[name]
        counts = column.dtype.kind in "iu" and len(column) >= 10 and column.is_unique
        if counts and column.max() - column.min() == len(column) - 1:
            note(f"column {name!r} counts the rows: leave it out if it says nothing else")
        note_text(column)


def note_text(column: Any) -> None:
    """Note text that looks like numbers or dates: each of its values will be a category."""
    import pandas

    if column.dtype.kind in "iufbmM":
        return
    texts = dict.fromkeys(cell for cell in column.dropna() if isinstance(cell, str))
    cells = pandas.Series(list(texts), dtype=object)
    plain = pandas.to_numeric(cells, errors="coerce").notna()
    for kind, pattern, so in (("dates", _DATE, "2024-01-31"), ("numbers", _NUMBER, "1234.5")):
        if cells.str.fullmatch(pattern).mean() >= _MOSTLY:
            odd = cells[~cells.str.fullmatch(ISO_DATE)] if kind == "dates" else cells[~plain]
            if len(odd):
                note(
                    f"column {column.name!r} looks like {kind}, but is read as text, each value a "
                    f"category of its own, as it holds {odd.iloc[0]!r}: write {kind} as {so}"
                )
            return


def note_new_levels(model: Model, X: Any) -> None:
    """Note categories that a model has not seen: each is treated as unknown.

    Parameters
    ----------
    model : Model
        Fitted to a table.
    X : DataFrame
        With the columns of the model; ValueError where they do not fit it.
    """
    numbers, schema = check_columns(model.estimator, X, reset=False)
    assert schema is not None  # as X is a data frame
    for j in schema.of_kind("category"):
        new, name = numbers[:, j] == NEW_LEVEL, schema.columns[j].name
        if new.any():
            note(
                f"column {name!r}: {new.sum()} of {len(X)} rows have a category that the model has "
                f"not seen, such as {str(X[name][new].iloc[0])!r}; it knows "
                f"{shown(schema.columns[j].levels)}"
            )
