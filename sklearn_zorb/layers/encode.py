"""Typed columns as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._compat import Interval, StrOptions
from ..linalg import is_jax, namespace, to_numpy
from ..rows.calendar import DAY, PARTS, calendar
from ..rows.quantiles import Ordered, sampled
from ..rows.schema import NEW_LEVEL
from .base import Layer, Traits, check_flat, refuse_sparse

if TYPE_CHECKING:
    from ..rows.schema import Column, Schema
    from ..typing import Array, Int, Params, Shape, Stream
    from .base import Context, InitialData

DENSE_ONLY = "reads typed columns, which a sparse matrix has none of: leave the layer out."
# parts of a moment that come round again, and after how many
ROUND = {"month": 12, "weekday": 7, "hour": 24}
MOMENT = [*PARTS, *(f"{part} {wave}" for part in ROUND for wave in ("sine", "cosine"))]


class Encode(Layer):
    """Turn columns of any type into numbers.

    - A number, boolean or duration stays what it is. A gap becomes the median of the training
      rows, and a column of 0 and 1 says where gaps were, if training rows had some.
    - A category becomes one column of 0 and 1 for each level, one for gaps, and one for all
      levels that are not told apart: those seen once in training, those beyond the `max_levels`
      most frequent, and new ones. A category whose levels have an order is a number, too.
    - A time becomes its days since 1970, year, month, weekday and hour, the last three also as
      points on a circle.

    Estimators put it in front of a list of layers where a table has columns that are not plain
    numbers. It reads no targets, so that left-out predictions behind it are honest.

    Parameters
    ----------
    max_levels : int, default=255
        Most levels of a category that get a column each.
    kinds : {"all", "numbers", "categories"}, default="all"
        Which columns are handed on: all of them; those whose values have an order (numbers,
        times and ordered categories); or the columns of 0 and 1.
    schema : Schema or None, default=None
        What is known of the columns; an estimator fills it in. None stands for numbers without
        gaps, which stay as they are.

    Notes
    -----
    ``params`` hold ``medians`` of shape (n_features,). The inverse target of a category is the
    level of the largest target, that of a time the one of its days.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_zorb import ZORBRegressor
    >>> table = pd.DataFrame({"rooms": [2, None, 4, 3], "city": ["Bonn", "Rome"] * 2})
    >>> model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(table, [1.0, 2.0, 3.0, 4.0])
    >>> encode = model.layers_[0][1]
    >>> encode.output_names()
    ['rooms', 'rooms is missing', 'city=Bonn', 'city=Rome']
    """

    traits = Traits(reads_inputs=False)

    _parameter_constraints = {
        "max_levels": [Interval(Integral, 1, None, closed="left")],
        "kinds": [StrOptions({"all", "numbers", "categories"})],
        "schema": "no_validation",
    }

    filled = ("schema",)

    def __init__(
        self,
        *,
        max_levels: Int = 255,
        kinds: Literal["all", "numbers", "categories"] = "all",
        schema: Schema | None = None,
    ) -> None:
        self.max_levels = max_levels
        self.kinds = kinds
        self.schema = schema

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        if self.schema is None:
            return tuple(input_shape)
        if len(self.schema) != input_shape[0]:
            raise ValueError(
                f"Encode got {input_shape[0]} columns, and its schema has {len(self.schema)}: it "
                "may only stand where the columns of X come in."
            )
        width = len(self.layout().names)
        if not width:
            raise ValueError(
                f"Encode(kinds={self.kinds!r}) has no columns to hand on: those of X are "
                f"{', '.join(sorted({column.kind for column in self.schema.columns}))}. Pass "
                "kinds='all'."
            )
        return (width,)

    def output_names(self) -> list[str]:
        """Name the outputs after the columns that they come from.

        Returns
        -------
        names : list of str
        """
        return list(self.layout().names)

    def output_sources(self) -> np.ndarray:
        """Tell which column of the input each output comes from.

        Returns
        -------
        sources : ndarray of int of shape (n_outputs,)
        """
        return self.layout().sources

    def layout(self) -> _Layout:
        """Tell where what comes from each column stands among the outputs."""
        return _layout(self.schema, self.max_levels, self.kinds)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        return {} if self.schema is None else {"medians": _medians(rng, data, input_shape[0])}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        refuse_sparse(self, inputs, DENSE_ONLY)
        if self.schema is None:
            return inputs
        xp, layout = namespace(inputs), self.layout()
        missing = xp.isnan(inputs)
        # where levels have an order, a new one is as good as a gap
        unknown = missing | (layout.is_category & (inputs < 0))
        filled = xp.where(unknown, xp.asarray(params["medians"]).astype(inputs.dtype), inputs)
        parts = [filled[:, layout.numbers], missing[:, layout.gaps]]
        parts += [moment(filled[:, j]) for j in layout.times]
        parts.append(_one_hot(layout, inputs, missing))
        return xp.concatenate([part.astype(inputs.dtype) for part in parts], axis=1)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        if self.schema is None:
            return targets
        layout, wanted = self.layout(), np.asarray(to_numpy(targets), dtype=np.float64)
        found = np.tile(np.asarray(params["medians"], dtype=np.float64), (len(wanted), 1))
        start = wanted.shape[1] - layout.n_indicators
        for j, levels in layout.places.items():
            told = np.flatnonzero(levels < layout.n_indicators)
            if len(told):
                found[:, j] = told[wanted[:, start + levels[told]].argmax(axis=1)]
                found[found[:, j] >= len(levels) - 2, j] = NEW_LEVEL
        for j in layout.times:
            found[:, j] = DAY * wanted[:, layout.sources == j][:, 0]
        plain = [i for i, j in enumerate(layout.numbers) if j not in layout.places]
        found[:, layout.numbers[plain]] = wanted[:, plain]
        return namespace(targets).asarray(found.astype(targets.dtype))


@dataclass(frozen=True)
class _Layout:
    """Where what comes from each column stands among the outputs.

    Attributes
    ----------
    names : tuple of str
    sources : ndarray of int of shape (n_outputs,)
        Input column of each output.
    numbers, gaps, times : ndarray of int
        Columns handed on as they are, those with a column for gaps, and times, in this order.
    places : dict of int to ndarray of int
        For each category, and each of its codes, new levels and gaps behind them, the column of
        0 and 1 that holds the 1; one beyond all of them is none.
    n_indicators : int
        Number of columns of 0 and 1 of categories, which come last.
    is_category : ndarray of bool of shape (n_features,)
    """

    names: tuple[str, ...]
    sources: np.ndarray
    numbers: np.ndarray
    gaps: np.ndarray
    times: np.ndarray
    places: dict[int, np.ndarray]
    n_indicators: int
    is_category: np.ndarray


@lru_cache(maxsize=64)
def _layout(schema: Schema, max_levels: Int, kinds: str) -> _Layout:
    """The layout of the outputs for a schema and two parameters of `Encode`."""
    columns = list(enumerate(schema.columns))
    category = np.array([column.kind == "category" for _, column in columns])
    numbers: list[int] = []
    gaps: list[int] = []
    times: list[int] = []
    places: dict[int, np.ndarray] = {}
    if kinds != "categories":
        whole = ("number", "duration", "nothing")
        numbers = [j for j, c in columns if c.kind in whole or c.ordered]
        times = schema.of_kind("time")
    if kinds != "numbers":
        gaps = [j for j, c in columns if c.gaps and c.kind != "category"]
    names = [schema.columns[j].name for j in numbers]
    names += [f"{schema.columns[j].name} is missing" for j in gaps]
    names += [f"{schema.columns[j].name}: {part}" for j in times for part in MOMENT]
    sources, n_indicators = [*numbers, *gaps, *np.repeat(times, len(MOMENT))], 0
    for j in schema.of_kind("category") if kinds != "numbers" else ():
        indicators, places[j] = _indicators(schema.columns[j], max_levels, n_indicators)
        names += indicators
        sources += [j] * len(indicators)
        n_indicators += len(indicators)
    places = {j: np.where(place < 0, n_indicators, place) for j, place in places.items()}
    integers = (np.array(part, dtype=int) for part in (sources, numbers, gaps, times))
    # type checkers do not count unpacked arguments
    return _Layout(tuple(names), *integers, places, n_indicators, category)  # type: ignore[arg-type,call-arg]


def _indicators(column: Column, max_levels: Int, start: int) -> tuple[list[str], np.ndarray]:
    """Names of the columns of 0 and 1 of a category, and the place of each code; -1 is none."""
    kept = column.frequent(max_levels)
    names = [f"{column.name}={column.levels[code]}" for code in kept]
    places = np.full(len(column.levels) + 2, -1)
    if len(kept) < sum(count > 0 for count in column.counts):
        places[:-1] = start + len(names)
        names.append(f"{column.name} is rare")
    places[kept] = start + np.arange(len(kept))
    if column.gaps:
        places[-1] = start + len(names)
        names.append(f"{column.name} is missing")
    return names, places


def _one_hot(layout: _Layout, inputs: Array, missing: Array) -> Array:
    """Columns of 0 and 1 of all categories."""
    xp = namespace(inputs)
    table = xp.zeros((len(inputs), layout.n_indicators + 1), dtype=inputs.dtype)
    rows = xp.arange(len(inputs))
    for j, places in layout.places.items():
        codes = xp.where(missing[:, j], len(places) - 1, inputs[:, j]).astype(int)
        place = xp.asarray(places)[xp.where(codes < 0, len(places) - 2, codes)]
        if is_jax(table):
            table = table.at[rows, place].set(1)
        else:
            table[rows, place] = 1
    return table[:, : layout.n_indicators]


def moment(seconds: Array) -> Array:
    """Parts of a time, and those that come round again as points on a circle."""
    xp, parts = namespace(seconds), calendar(seconds)
    waves = []
    for part, period in ROUND.items():
        angle = parts[:, PARTS.index(part)] * (2 * math.pi / period)
        waves += [xp.sin(angle), xp.cos(angle)]
    return xp.concatenate([parts, xp.stack(waves, axis=1)], axis=1)


def _medians(rng: np.random.Generator, data: InitialData | None, width: int) -> np.ndarray:
    """Weighted median of each column of a sample of the rows; 0 where nothing is known."""
    medians = np.zeros(width)
    if data is None:
        return medians
    rows, weights = sampled(rng, data[0], data[2])
    rows = np.asarray(to_numpy(rows), dtype=np.float64)
    for j in range(width):
        known = ~np.isnan(rows[:, j])
        if known.any():
            known_weights = None if weights is None else np.asarray(weights)[known]
            medians[j] = Ordered(rows[known, j], known_weights).quantiles([1], 2)[0]
    return medians
