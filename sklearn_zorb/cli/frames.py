"""Tables: files of columns, the column that is the target, the columns that a model knows."""

from __future__ import annotations

import gzip
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets.optional import import_optional
from ..datasets.tables import infer_task
from ..rows.frames import shown
from .notes import ISO_DATE, note, note_columns, note_header, note_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..rows.schema import Column
    from .models import Model

TABLE_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ZONE = r".*\d(Z|[+-]\d\d:?\d\d)"


def read_table(path: Path, target: str | None = None, known: Sequence[Column] = ()) -> Any:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : pathlib.Path
    target : str or None, default=None
        Name of the target column, as in `target_name`. A CSV file gives it as text.
    known : sequence of Column, default=()
        What a model knows of the columns. Its categories are read as text, whatever they look
        like, and nothing is noted that was noted when it was fitted.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        Whatever is wrong with the file.
    """
    pandas = _pandas()
    parquet = path.suffix.lower() == ".parquet"
    if parquet:
        import_optional("pyarrow", "Reading Parquet files")
    try:
        frame = pandas.read_parquet(path) if parquet else _read_csv(path, target, known)
        if frame.index.names != [None]:
            note(f"the index of the file, {shown(frame.index.names)}, is read as a column")
            frame = frame.reset_index()
    except Exception as error:  # a damaged file can raise anything
        reason = str(error) or type(error).__name__
        raise ValueError(f"cannot read {str(path)!r}: {reason}") from error
    frame.columns = frame.columns.astype(str)
    if not len(frame):
        raise ValueError(f"{str(path)!r} has no rows")
    return frame


def _pandas() -> Any:
    return import_optional("pandas", "Reading tables")


def _read_csv(path: Path, target: str | None, known: Sequence[Column]) -> Any:
    """A CSV file, whatever its encoding and its separator."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        start = file.read(1 << 16)
    encoding = "utf-16" if start.startswith(_UTF16) else "utf-8"
    if encoding == "utf-8" and b"\0" in start:
        raise ValueError("it is no text, or UTF-16 without a byte order mark")
    text = start.decode(encoding, "ignore")
    separator = max(",;\t|", key=re.sub('"[^"]*"', "", text.strip().partition("\n")[0]).count)
    decimal = "," if separator == ";" and re.search(r"\d,\d", text) else "."
    if decimal == ",":
        note(
            "commas in numbers are read as decimal points, because semicolons separate the columns"
        )
    # without low_memory, the type of a column is that of all its rows
    options = {"sep": separator, "decimal": decimal, "index_col": False, "low_memory": False,
               "skipinitialspace": separator != "\t"}  # fmt: skip
    try:
        return _parse_csv(path, target, known, encoding=encoding, **options)
    except UnicodeDecodeError:
        if encoding == "utf-16":
            raise
    note(f"{str(path)!r} is not UTF-8: it is read as Windows-1252, much the same as Latin-1")
    return _parse_csv(path, target, known, encoding="cp1252", **options)


def _parse_csv(path: Path, target: str | None, known: Sequence[Column], **options: Any) -> Any:
    """A CSV file, with numbers and dates that pandas leaves as text.

    Left to itself, pandas takes the first column for an index where rows have more fields than
    the header, which shifts all others, and renames columns of one name. A separator at the end
    of every row is no column.
    """
    pandas = _pandas()
    header = pandas.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0].dropna()
    repeated = header[header.duplicated()].unique()
    if len(repeated):
        raise ValueError(f"several columns are named {shown(repeated)}")
    kinds = {target_name(list(header), target): "target"}
    kinds |= {column.name: column.kind for column in known}
    text = [name for name, kind in kinds.items() if kind in ("category", "time", "target")]
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)  # fields that would be lost
        try:
            frame = pandas.read_csv(path, dtype=dict.fromkeys(text, str), **options)
        except pandas.errors.ParserWarning as warning:
            raise ValueError(f"rows have more fields than the header: {shown(header)}") from warning
    first, last = frame.columns[[0, -1]]
    if last.startswith("Unnamed: ") and frame[last].isna().all():
        frame = frame.drop(columns=last)
    elif first.startswith("Unnamed: "):
        note("the first column has no name, as an index of rows has none: it is left out")
        frame = frame.drop(columns=first)
    if not known:
        note_header(header)
    decimal = options["decimal"]
    return pandas.DataFrame({n: _typed(frame[n], kinds.get(n), decimal) for n in frame})


def _typed(column: Any, kind: str | None, decimal: str) -> Any:
    """Text of a CSV file as numbers or moments where all of it is such.

    Parameters
    ----------
    column : Series
    kind : str or None
        What a model knows the column as, or "target"; None where it is new.
    decimal : {".", ","}
        How a target is written.
    """
    if kind == "target" and decimal == ",":
        points = column.str.replace(",", ".", regex=False)
        return column if _as_numbers(points) is None else points
    if kind in ("category", "target") or column.dtype.kind in "iufb":
        return column
    numbers = _as_numbers(column)
    if numbers is not None and kind != "time":
        return numbers
    cells = column.dropna().astype(str)
    if not cells.str.fullmatch(ISO_DATE).all():
        return column
    try:
        utc = bool(cells.str.fullmatch(_ZONE).any())
        moments = _pandas().to_datetime(column, format="ISO8601", utc=utc)
    except ValueError:  # there is no February 30
        return column
    if kind is None:
        note(f"column {column.name!r} is read as dates, such as {cells.iloc[0]!r}")
    return moments


def _as_numbers(column: Any) -> Any:
    """Text as numbers or booleans where all of it is such, beyond 64 bits too; else None."""
    words = {"True": True, "False": False}
    if column.isin(words).all():
        return column.map(words).astype(bool)
    for part in (
        column.head(100),
        column,
    ):  # a few cells tell most text, of which it takes long to try all
        numbers = _pandas().to_numeric(part, errors="coerce")
        if not numbers.isna().equals(part.isna()):
            return None
    return numbers


def target_name(names: Sequence[str], target: str | None = None) -> str:
    """The target column among `names`: the one that is asked for, else "target", else the last."""
    return target or ("target" if "target" in names else names[-1])


def split_table(
    frame: Any, target: str | None = None, task: str = "auto"
) -> tuple[Any, np.ndarray, str]:
    """Features and targets of a table to learn from.

    Parameters
    ----------
    frame : DataFrame
    target : str or None, default=None
        As in `target_name`.
    task : {"auto", "classification", "regression"}, default="auto"

    Returns
    -------
    X : DataFrame
    y : ndarray of shape (n_samples,)
    target : str
    """
    target = target_name(list(frame), target)
    _check_there(frame, target)
    X = frame.drop(columns=target)
    if not X.shape[1]:
        raise ValueError(f"there is no column besides the target {target!r}")
    note_columns(X)
    y = _targets(frame[target], task)
    if y.dtype == object:
        note_text(frame[target])
    return X, y, target


def _check_there(frame: Any, target: str) -> None:
    if target not in frame:
        raise ValueError(f"there is no column {target!r}; the columns are {shown(frame)}")


def _targets(column: Any, task: str) -> np.ndarray:
    """Targets as numbers or booleans where all are such; labels as they are written.

    The label "007" stays text: predicted as the number 7, it would match no label of the file.
    """
    if column.dtype.kind in "iufb":
        return column.to_numpy(None if column.notna().all() else np.float64, na_value=np.nan)
    written = _written(column)
    numbers = _as_numbers(written)
    if numbers is not None:
        task = infer_task(numbers) if task == "auto" else task
        if task == "regression" or (numbers.map(str) == written).all():
            return numbers.to_numpy()
    return written.to_numpy()


def _written(column: Any) -> Any:
    """Cells as text, NaN where they are missing."""
    return column.astype(object).map(str, na_action="ignore").where(column.notna(), np.nan)


def select_columns(
    frame: Any, model: Model, target: str | None = None
) -> tuple[Any, np.ndarray | None]:
    """The columns that a model was fitted on, whatever else a table holds.

    Parameters
    ----------
    frame : DataFrame
    model : Model
    target : str or None, default=None
        Name of a target column that must be there; None takes that of the model if it is.

    Returns
    -------
    X : DataFrame
    y : ndarray or None
        None where the table has no target column.
    """
    if target is not None:
        _check_there(frame, target)
    levels = {column.name: column.levels for column in model.columns}
    others = [name for name in frame if name not in (*levels, target, model.target)]
    target = target or model.target
    if others:
        note(f"columns that the model does not know are left out: {shown(others)}")
    X = frame[[name for name in frame if name in levels]]
    X = X.assign(**{name: _matched(X[name], levels[name]) for name in X if levels[name]})
    if target not in frame:
        return X, None
    classes = getattr(model.estimator, "classes_", np.empty(0))
    if classes.dtype.kind in "OU":
        return X, _matched(_written(frame[target]), classes.tolist()).to_numpy()
    return X, _targets(frame[target], "regression")


def _matched(column: Any, levels: Sequence[Any]) -> Any:
    """Text as the level that it equals but for spaces, or for how a number is written."""
    if column.dtype.kind in "iufbmM":
        return column
    forms: dict[Any, list[Any]] = {}
    for level in levels:
        forms.setdefault(_form(level), []).append(level)
    new = column[column.notna() & ~column.isin(levels)]
    found = {cell: forms.get(_form(cell), ()) for cell in new.unique()}
    same = {cell: known[0] for cell, known in found.items() if len(known) == 1}
    if same:
        cell, level = next(iter(same.items()))
        note(
            f"column {column.name!r}: {new.isin(same).sum()} cells are read as the category that "
            f"they equal, such as {cell!r} as {level!r}"
        )
    return column.map(lambda cell: same.get(cell, cell), na_action="ignore")


def _form(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()
