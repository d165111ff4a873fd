"""Tables: columns of numbers and of text, missing values, and the target."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from ..datasets.optional import import_optional

_MAX_CATEGORIES = 50  # of one text column; the rarest share one indicator

_MOSTLY = 0.75  # share of numbers from which on other values look like slips
_DATE = r"\d{4}-\d\d-\d\d\b"
# what pandas infers of objects
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean")


@dataclass(frozen=True)
class Schema:
    """The columns of a table: what a model is fitted on.

    Attributes
    ----------
    columns : dict of str to {"number", "text"}
    target : str
    target_kind : {"number", "text"}
    """

    columns: dict
    target: str
    target_kind: str

    @property
    def text_columns(self):
        kinds = [*self.columns.items(), (self.target, self.target_kind)]
        return [name for name, kind in kinds if kind == "text"]


def read_table(path, schema=None):
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : pathlib.Path
    schema : Schema or None, default=None
        Columns that it says are text are read as text, whatever they look like.

    Returns
    -------
    DataFrame
    """
    text = schema.text_columns if schema is not None else []
    try:
        if path.suffix.lower() == ".parquet":
            import_optional("pyarrow", "Reading Parquet files")
            frame = _pandas().read_parquet(path)
        else:
            frame = _read_csv(path, text)
    except (ValueError, OSError) as error:  # the errors of pandas and pyarrow derive from them
        raise ValueError(f"cannot read {str(path)!r}: {error}") from error
    frame.columns = frame.columns.astype(str)
    if not len(frame):
        raise ValueError(f"{str(path)!r} has no rows")
    return frame


def _read_csv(path, text):
    """A CSV file, its columns `text` as text.

    Left to itself, pandas takes the first column for an index where rows have more fields than
    the header, which shifts all others, and renames columns of one name. A comma at the end of
    every row is no column.
    """
    pandas = _pandas()
    # without low_memory, the type of a column is that of all its rows
    options = {"index_col": False, "skipinitialspace": True, "low_memory": False}
    header = pandas.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0].dropna()
    repeated = header[header.duplicated()].unique()
    if len(repeated):
        raise ValueError(f"several columns are named {_names(repeated)}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)  # fields that would be lost
        try:
            frame = pandas.read_csv(path, dtype=dict.fromkeys(text, str), **options)
        except pandas.errors.ParserWarning as warning:
            names = _names(header)
            raise ValueError(f"rows have more fields than the header: {names}") from warning
    *names, last = frame
    if names and last.startswith("Unnamed: ") and frame[last].isna().all():
        frame = frame[names]
    return pandas.DataFrame(
        {name: frame[name] if name in text else _parsed(frame[name]) for name in frame}
    )


def _parsed(column):
    """Text as numbers where all of it is: pandas leaves what is beyond 64 bits."""
    if _is_number(column):
        return column
    numbers = _pandas().to_numeric(column, errors="coerce")
    return numbers if numbers.isna().equals(column.isna()) else column


def split_table(frame, target=None):
    """Features and targets of a table to learn from.

    Parameters
    ----------
    frame : DataFrame
    target : str or None
        Name of the target column; None takes "target", else the last one.

    Returns
    -------
    X : DataFrame
        Columns of numbers as float64, the others as objects: str, or NaN where missing.
    y : ndarray of shape (n_samples,)
    schema : Schema
    """
    if target is None:
        target = "target" if "target" in frame else frame.columns[-1]
    if target not in frame:
        raise ValueError(f"there is no column {target!r}; the columns are {_names(frame)}")
    kinds = {name: "number" if _is_number(frame[name]) else "text" for name in frame}
    target_kind = kinds.pop(target)
    if not kinds:
        raise ValueError(f"there is no column besides the target {target!r}")
    schema = Schema(kinds, target, target_kind)
    for name in schema.text_columns:
        _note_text(frame[name])
    return _features(frame, schema), _target(frame[target], target_kind), schema


def select_columns(frame, schema, target=None):
    """The columns that a model was fitted on, whatever else a table holds.

    Parameters
    ----------
    frame : DataFrame
    schema : Schema
    target : str or None
        Name of a target column that must be there; None takes that of the schema if it is.

    Returns
    -------
    X : DataFrame
    y : ndarray or None
        None where the table has no target column.
    """
    missing = [name for name in schema.columns if name not in frame]
    if missing:
        raise ValueError(f"the model needs columns that are not there: {_names(missing)}")
    if target is not None and target not in frame:
        raise ValueError(f"there is no column {target!r}; the columns are {_names(frame)}")
    y = _target(frame[schema.target], schema.target_kind) if schema.target in frame else None
    return _features(frame, schema), y


def prepare_table(schema):
    """The preprocessing of a table, as the first step of a pipeline.

    Numbers get the median where they are missing, and an indicator of that; text becomes
    one indicator for each category, of which missing is one.

    Parameters
    ----------
    schema : Schema

    Returns
    -------
    ColumnTransformer
    """
    numbers = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    text = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MAX_CATEGORIES, sparse_output=False
    )
    names = {"number": [], "text": []}
    for name, kind in schema.columns.items():
        names[kind].append(name)
    steps = [("numbers", numbers, names["number"]), ("text", text, names["text"])]
    return ColumnTransformer([step for step in steps if step[2]], verbose_feature_names_out=False)


def _pandas():
    return import_optional("pandas", "Reading tables")


def _names(columns):
    names = [str(name) for name in columns]
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


def _is_number(column):
    """Numbers as such, or as objects: decimals, integers of any size, booleans and None."""
    types = _pandas().api.types
    return types.is_numeric_dtype(column) or types.infer_dtype(column) in _NUMBERS


def _note_text(column):
    """Warn of text that is hardly meant as such: each of its values will be a category."""
    values = column.dropna().astype(str)
    numbers, bare = (
        _pandas().to_numeric(cells, errors="coerce").notna()
        for cells in (values, values.str.replace(",", "", regex=False))
    )
    note = None
    if len(values) and values.str.match(_DATE).all():
        note = "holds dates, which are categories here: numbers would keep their order"
    elif bare.mean() >= _MOSTLY and not numbers.all():
        note = f"is taken for text: it holds {values[~numbers].iloc[0]!r} among numbers"
    if note:
        warnings.warn(f"column {column.name!r} {note}", stacklevel=2)


def _features(frame, schema):
    convert = {"number": _numbers, "text": _text}
    return _pandas().DataFrame(
        {name: convert[kind](frame[name]) for name, kind in schema.columns.items()}
    )


def _text(column):
    return column.astype(object).map(str, na_action="ignore").where(column.notna(), np.nan)


def _numbers(column):
    numbers = _pandas().to_numeric(column, errors="coerce").astype("float64")
    lost = column[numbers.isna() & column.notna()]
    if len(lost):
        raise ValueError(f"column {column.name!r} should hold numbers, got {str(lost.iloc[0])!r}")
    return numbers


def _target(column, kind):
    """Targets as an array; whole numbers stay whole, and booleans True and False."""
    if kind == "text":
        return _text(column).to_numpy(dtype=object)
    exact = {"i": np.int64, "u": np.uint64, "b": np.bool_}
    if column.dtype.kind in exact and column.notna().all():
        return column.to_numpy(dtype=exact[column.dtype.kind])
    return _numbers(column).to_numpy()
