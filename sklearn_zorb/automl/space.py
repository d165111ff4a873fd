"""The parameters that a search may try, and the estimator that a choice of them stands for.

Each has a value to start from, which is the default: all of them together are
``ZORBClassifier()``. The tables of the tools are made of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .._compat import check_parameters
from ..auto import auto_layers
from ..auto.efforts import EFFORTS
from ..layers import Auto, Kernel, Trees
from ..layers.auto import MOST_MULTIPLE
from ..lists import format_layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..layers.base import Layer

TASKS = ("classification", "regression")
# up to here the effort "best" takes seconds
BEST_ROWS = 2000
FRACTIONS = ("max_features", "learning_rate", "shrinkage")
SIZES = tuple(signature(Auto).parameters)


@dataclass(frozen=True)
class Choice:
    """One of a few values, the first of which is the start."""

    values: tuple[Any, ...]

    @property
    def start(self) -> Any:
        return self.values[0]

    def read(self, value: Any) -> Any:
        """The value itself, also where a tool hands it back as text."""
        return next((one for one in self.values if str(one) == str(value)), value)


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, drawn by its logarithm; a whole one if `start` is."""

    start: float
    low: float
    high: float

    @property
    def whole(self) -> bool:
        return isinstance(self.start, int)

    def read(self, value: Any) -> float:
        """A Python number, without the rounding errors of a tool's scale."""
        return int(value) if self.whole else float(f"{value:.6g}")


Domain: TypeAlias = Choice | Number

BLOCKS = ("auto", "linear+kernel", "linear+kernel+forest", "kernel+forest+boosting",
          "forest+boosting", "linear+kernel+smooth+forest+extra+boosting")  # fmt: skip
BOOSTING = EFFORTS["auto"].boosting
# parameters of any list, and of lists with such a block
SPACE: dict[str, dict[str, Domain]] = {
    "any": {
        "effort": Choice(("auto", "fast", "best")),
        "blocks": Choice(BLOCKS),
        "shrinkage": Number(5.0, 0.5, 500.0),
        "alpha": Choice(("loo", 1.0, 10.0, 100.0)),
    },
    "kernel": {
        "landmarks": Number(1.0, 0.1, 2.0),
        "kernel": Choice(("auto", "laplace", "laplace_l1", "gaussian")),
    },
    "forest": {
        "trees": Number(100, 25, 400),
        "max_features": Choice(("auto", 0.2, 0.35, 0.7, 1.0)),
        "min_samples_leaf": Number(1, 1, 20),
    },
    "boosting": {
        "rounds": Number(BOOSTING["n_estimators"], 20, 200),
        "learning_rate": Number(BOOSTING["learning_rate"], 0.03, 0.5),
        "max_leaf_nodes": Choice((None, 8, 16, 31, 63)),
    },
}
DOMAINS = {name: domain for part in SPACE.values() for name, domain in part.items()}


def search_space(
    task: str, n_samples: int, n_features: int, *, blocks: str = "auto"
) -> dict[str, Domain]:
    """What a search over `ZORBClassifier` or `ZORBRegressor` has to try on data of this size.

    Parameters
    ----------
    task : {"classification", "regression"}
    n_samples, n_features : int
        Rows that a search fits to, and columns.
    blocks : str, default="auto"
        As in `Auto`.

    Returns
    -------
    space : dict of str to Choice or Number
        Only what changes the model of such blocks on such data.

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.
    """
    if task not in TASKS:
        raise ValueError(f"task={task!r}; pass one of {', '.join(map(repr, TASKS))}.")
    of = partial(_stack, (n_samples, n_features))
    parts = {"any", *(_part(block[-1]) for block in of(blocks).blocks)}
    space = {
        name: domain for part in SPACE if part in parts for name, domain in SPACE[part].items()
    }
    others = [one for one in BLOCKS[1:] if format_layers([of(one)]) != format_layers([of("auto")])]
    space["blocks"] = Choice(("auto", *others))
    if n_samples > BEST_ROWS:
        space["effort"] = Choice(("auto", "fast"))
    if "landmarks" in space and n_samples <= EFFORTS["auto"].exact_rows:
        space["landmarks"] = Number(1.0, 0.1, 1.0)  # each row is a landmark already
    return space


def _stack(shape: tuple[int, int], blocks: str) -> Any:
    return auto_layers(shape, effort=Auto(blocks=blocks))[0]


def choose_layers(
    suggest: Callable[[str, Domain], Any], task: str, n_samples: int, n_features: int
) -> str:
    """Layers from scalars: ``suggest(name, domain)`` is asked for those of the blocks in use."""
    blocks = suggest("blocks", search_space(task, n_samples, n_features)["blocks"])
    space = search_space(task, n_samples, n_features, blocks=blocks)
    scalars = {name: suggest(name, space[name]) for name in SIZES
               if name in space and name != "blocks"}  # fmt: skip
    return parameters(blocks=blocks, **scalars)["layers"]


def _part(layer: Layer) -> str:
    """The sizes of a block that ends in `layer`, as a part of the space."""
    if isinstance(layer, Kernel):
        return "" if layer.kind == "gaussian" else "kernel"
    return {"extra": "forest"}.get(layer.kind, layer.kind) if isinstance(layer, Trees) else ""


def layers_from(effort: str = "auto", **sizes: Any) -> str:
    """Turn scalars into the text of a list of layers.

    A search tries numbers and names, but what `ZORBClassifier` takes is a list of layers. The
    text is that of one `Auto`, which becomes a list of layers when it is fitted, by the rows,
    columns and types of the data.

    Parameters
    ----------
    effort : {"auto", "fast", "best"}, default="auto"
        The effort that chooses what is not given.
    **sizes
        Parameters of `Auto`: ``blocks``, ``landmarks``, ``kernel``, ``trees``, ``max_features``,
        ``min_samples_leaf``, ``rounds``, ``learning_rate``, ``max_leaf_nodes``, ``shrinkage``.
        Scalars of NumPy, and whole numbers that came as floats, are taken too.

    Returns
    -------
    layers : str
        For the parameter `layers`; `parse_layers` reads it as well.

    Raises
    ------
    ValueError
        If `Auto` does not take a value.
    TypeError
        If `Auto` has no parameter of such a name.

    Examples
    --------
    >>> from sklearn_zorb import auto_layers, format_layers
    >>> from sklearn_zorb.automl import layers_from
    >>> layers_from(blocks="linear+forest", trees=200)
    'Auto[blocks="linear+forest", trees=200]'
    >>> for block in format_layers(auto_layers((150, 4), effort=layers_from("fast"))).split(" | "):
    ...     print(block)
    Stack(Parallel(Identity
    PiecewiseLinear) Standardize[clip=3.0]
    NormalScores Standardize[clip=3.0] Standardize Kernel[150]
    Trees[50, max_samples=2000])
    """
    auto = Auto(effort, **{name: _whole(name, size) for name, size in sizes.items()})
    check_parameters(auto)
    auto.block_names()
    return format_layers([auto])


def _whole(name: str, size: Any) -> Any:
    """A float as an integer, where the size takes integers."""
    if not isinstance(size, float | np.floating) or name in FRACTIONS:
        return size
    if name == "landmarks" and size <= MOST_MULTIPLE:
        return size
    return int(size) if size.is_integer() else size


def parameters(**scalars: Any) -> dict[str, Any]:
    """Turn scalars of a search into parameters of `ZORBClassifier` or `ZORBRegressor`.

    Parameters
    ----------
    **scalars
        Parameters of `Auto`, and of the estimator, as the tools hand them out.

    Returns
    -------
    params : dict
        With `layers` as text where any parameter of `Auto` is given.

    Raises
    ------
    ValueError
        If `layers` are given beside parameters of `Auto`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.automl import parameters
    >>> parameters(effort=np.str_("auto"), trees=np.float64(250), alpha=np.str_("10.0"))
    {'alpha': 10.0, 'layers': 'Auto[trees=250]'}
    """
    read = {name: DOMAINS[name].read(value) if name in DOMAINS else value
            for name, value in scalars.items()}  # fmt: skip
    sizes: dict[str, Any] = {name: read.pop(name) for name in SIZES if name in read}
    if not sizes:
        return read
    if "layers" in read:
        raise ValueError(
            f"layers={read['layers']!r} beside {', '.join(sizes)}: pass one of the two."
        )
    if sizes.get("effort", "auto") == "auto":  # the other sizes start from those of this effort
        sizes = {name: size for name, size in sizes.items() if size != DOMAINS[name].start}
    return {**read, "layers": layers_from(**sizes)}
