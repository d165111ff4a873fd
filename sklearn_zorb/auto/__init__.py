"""What ``layers="fast"``, ``"auto"`` and ``"best"`` build, and why."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .._compat import check_parameters
from ..layers import (
    Auto,
    Dense,
    Encode,
    Flatten,
    Identity,
    Kernel,
    NormalScores,
    Parallel,
    ReLU,
    Stack,
    Standardize,
    Trees,
)
from ..lists import resolve_layers
from ..memory import Memory
from ..rows import count_distinct
from ..rows.frames import Table, as_frame, read_table
from ..rows.schema import is_typed
from .efforts import BOOSTED_COLUMNS, EFFORTS, Effort, n_landmarks
from .images import image_layers, is_image

if TYPE_CHECKING:
    from ..layers.base import Layer
    from ..rows.schema import Schema
    from ..typing import Int, Shape, TableLike

# from here on a forest is no loss and mostly a gain, as measured by benchmarks/few_rows.py;
# fewer rows were not tried
FEW_ROWS = 10
# classes or outputs beyond which boosting takes minutes: each takes trees of its own
BOOSTED_OUTPUTS = 10
# leaves of a small boosted tree: where classes overlap, many rounds of large trees say too much
# of single rows
SHALLOW_LEAVES = 6
# up to here each column is bent at its quantiles, into nine
BENT_COLUMNS = 100
# sparse inputs with more columns than this are not made dense for a kernel
SPARSE_COLUMNS = 1000


def auto_layers(
    X: TableLike | tuple[int, int],
    y: object = None,
    *,
    n_outputs: Int = 1,
    effort: str | Auto = "auto",
    input_shape: Shape | None = None,
) -> list[Layer]:
    """Build the list that ``layers="fast"``, ``"auto"`` or ``"best"`` stands for.

    A `Stack` of blocks that err in different ways:

    - a ridge of the columns, and of ramps between their quantiles up to 100 columns, all
      clipped smoothly at three standard deviations;
    - a ridge of `Kernel` features, exact up to 3000 distinct rows, of the kernel that left-out
      rows choose; of more, 2000 are landmarks, falling to 500 beyond 5000 rows as the square root
      of their number rises; exact up to 1500 rows, and no more landmarks, beyond 500 columns;
      columns with long tails are replaced by their `NormalScores` before it;
    - from 10 distinct rows on, a forest of 100 trees, each grown on no more than 5000 rows;
    - from 2000 distinct rows on, a ridge of 500 Gaussian features, and, up to 500 columns and
      10 classes or outputs, gradient boosting of 50 rounds by five folds, falling to two beyond
      12 000 rows.

    With ``effort="fast"`` all of them are smaller, there is no second kernel, and boosting begins
    at 6000 rows, beside a Gaussian kernel and a forest of 25 trees: for searches, and for many
    models. With ``effort="best"`` kernels have twice as many landmarks and more, there are two
    forests of 500 trees, and boosting begins at 200 rows, of large trees and of small ones, with
    four times as many rounds and ten folds: ten to twenty times as long.

    Where columns are not plain numbers, `Encode` stands in front of ridge and kernels, trees read
    the columns as they are, and boosting, of four folds, begins at 400 rows if most columns are
    categories.

    Images of at least 8 pixels a side are another list: filters that are centres of windows of
    training images, responses of both signs pooled to 4 regions down and across, their square
    roots, and a Gaussian kernel of these. Colour images are taken together with their mirror
    images, their regions overlap by half, and half of the filters see what others make of pixels.
    There are as many filters as memory allows, up to 100 for "fast", 400 for "auto" and 600 for
    "best", and up to 1000, 6000 and 6000 landmarks. "best" also takes images moved by a pixel.
    An `Auto` with `blocks` takes images for rows of columns.

    Sparse inputs do without ramps, keep their tails, and of more than 1000 columns do without
    the kernel too, which would make them dense.

    Parameters
    ----------
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features), or tuple of int
        Data, or the number of distinct rows and of columns.
    y : ignored
        Present so that a call reads as `fit` does.
    n_outputs : int, default=1
        Number of classes, of labels or of columns of y.
    effort : {"fast", "auto", "best"} or Auto, default="auto"
        How long a fit may take; an `Auto` also says which blocks and sizes to take.
    input_shape : tuple of int or None, default=None
        (height, width) or (height, width, channels) of what a row is, where it is an image.

    Returns
    -------
    layers : list of Layer

    Raises
    ------
    ValueError
        If `X` is no table, or `effort` none of these, or the data can have none of the blocks
        that it asks for.

    See Also
    --------
    format_layers : Writes them as text.
    sklearn_zorb.layers.Auto : The list with its sizes as parameters.

    Notes
    -----
    Blocks side by side beat any one of them on most tables: the kernel on smooth and on
    few data, trees on steps, scales and many irrelevant columns, the ridge where there is
    little to learn. The stack weighs them on predictions of left-out rows, so that a block
    that does not help costs little.

    Examples
    --------
    >>> from sklearn_zorb import auto_layers, format_layers
    >>> for block in format_layers(auto_layers((150, 4))).split(" | "):
    ...     print(block)
    Stack(Parallel(Identity
    PiecewiseLinear) Standardize[clip=3.0]
    NormalScores Standardize[clip=3.0] Standardize Kernel[150]
    Trees[max_samples=5000])
    >>> layers = auto_layers((1000, 784), input_shape=(28, 28, 1), effort="fast")
    >>> print(format_layers(layers).replace(" CReLU", "\\nCReLU").replace(" Power", "\\nPower"))
    Conv2D[100, 6, padding=2, initializer=kmeans, contrast=0.01, relaxation=0]
    CReLU[0.5] AvgPool2D[regions=4] Flatten
    Power BatchNorm Stack(Kernel[kind=gaussian, bandwidth=1.0, reweight=0])
    """
    if isinstance(X, tuple):
        if not (len(X) == 2 and all(isinstance(n, Integral) and n > 0 for n in X)):
            raise ValueError(
                f"X={X!r}; pass data, or the numbers of rows and of columns, both at least 1."
            )
        return default_layers(*X, n_outputs=n_outputs, effort=effort, input_shape=input_shape)
    table: Any = X
    schema: Schema | None = None
    if as_frame(table) is not None:
        table, schema = read_table(Table(table), "from_dtype")
        schema = schema.counted(table, None)
    sparse = hasattr(table, "tocsr")
    table = table.tocsr() if sparse else np.asarray(table)
    if table.ndim != 2:
        raise ValueError(
            f"X has shape {table.shape}; pass rows and columns, of shape (n_samples, n_features), "
            "or the numbers of both as a tuple."
        )
    n_rows = count_distinct(table, Memory())
    return default_layers(
        n_rows, table.shape[1], n_outputs=n_outputs, effort=effort, sparse=sparse, schema=schema,
        input_shape=input_shape,
    )  # fmt: skip


def default_layers(
    n_rows: int,
    n_features: int,
    *,
    n_outputs: Int,
    effort: Any,
    sparse: bool = False,
    schema: Schema | None = None,
    input_shape: Shape | None = None,
) -> list[Layer]:
    """Build the list for so many distinct rows and columns of the types in a schema."""
    auto = as_auto(effort)
    if auto is None:
        known = ", ".join(map(repr, EFFORTS))
        raise ValueError(f"effort={effort!r}; pass one of {known}, or an Auto.")
    check_parameters(auto)
    if input_shape is not None:
        if takes_images(auto, input_shape):
            return image_layers(n_rows, input_shape, auto)
        flat = default_layers(
            n_rows, n_features, n_outputs=n_outputs, effort=auto, sparse=sparse, schema=schema
        )
        return [Flatten(), *flat]
    work, schema = EFFORTS[auto.effort], schema if is_typed(schema) else None
    names = auto.block_names() or _usual(work, n_rows, n_features, n_outputs, schema)
    work = work.beside_boosting() if "boosting" in names and not sparse else work
    blocks = _blocks(auto, work.sized(auto), n_rows, n_features, sparse, schema)
    chosen = [blocks[name] for name in names if name in blocks]
    if not chosen:
        raise ValueError(
            f"blocks={auto.blocks!r}: sparse inputs of {n_features} columns can have none of "
            "these; add 'linear' or 'forest'."
        )
    return [Stack(chosen, shrinkage=auto.shrinkage)]


def takes_images(auto: Auto, input_shape: Shape | None) -> bool:
    """Whether the list is one of filters: of images, unless blocks of columns are asked for."""
    return auto.blocks == "auto" and is_image(input_shape)


def as_auto(layers: Any) -> Auto | None:
    """The `Auto` that `layers` are, by the name of an effort too; None for any others."""
    if isinstance(layers, Auto):
        return layers
    if is_auto(layers):
        return Auto(layers.strip().lower())
    try:
        pairs = resolve_layers(layers)
    except (TypeError, ValueError):  # whoever reads the list says more
        return None
    return pairs[0][1] if len(pairs) == 1 and isinstance(pairs[0][1], Auto) else None


def is_auto(layers: object) -> TypeGuard[str]:
    """Whether `layers` is the name of an effort, in any case as other names are."""
    return isinstance(layers, str) and layers.strip().lower() in EFFORTS


def _usual(
    effort: Effort, n_rows: int, n_features: int, n_outputs: Int, schema: Schema | None
) -> list[str]:
    """Names of the blocks that pay on such data, where it can have them."""
    many = schema is not None and 2 * len(schema.of_kind("category")) >= n_features
    boosted = n_rows >= (effort.category_rows if many else effort.boosted_rows)
    narrow = n_features <= BOOSTED_COLUMNS and n_outputs <= BOOSTED_OUTPUTS
    more = len(effort.forests) > 1
    pays = {
        "linear": True,
        "kernel": True,
        "smooth": n_rows >= effort.boosted_rows and effort.smooth,
        "forest": n_rows >= FEW_ROWS,
        "extra": n_rows >= FEW_ROWS and more,
        "boosting": boosted and narrow,
        "shallow": boosted and narrow and more,
    }
    return [name for name in pays if pays[name]]


def _blocks(
    auto: Auto, effort: Effort, n_rows: int, n_features: int, sparse: bool, schema: Schema | None
) -> dict[str, list[Layer]]:
    """All blocks that such data can have, by name."""
    forest = effort.forests[0]
    blocks = {
        "linear": [*_bent(effort, n_features, sparse, schema), Standardize(clip=3.0)],
        "forest": [Trees(**forest)],
        "extra": [Trees(**{**forest, "kind": "extra"})],
    }
    if not sparse or n_features <= SPARSE_COLUMNS:
        front = [*([] if schema is None else [Encode()]), *_scaled(sparse)]
        usual = effort.n_landmarks(n_rows, n_features)
        landmarks = n_landmarks(auto, usual, n_rows)
        few = effort.smooth or effort.landmarks[0]
        blocks["kernel"] = [*front, Kernel(landmarks, kind=effort.kernel)]
        blocks["smooth"] = [*front, Kernel(few, kind="gaussian")]
    if not sparse:
        boosting = effort.boosted(n_rows)
        blocks["boosting"] = [Trees(kind="boosting", **boosting)]
        small = {**boosting, "max_leaf_nodes": SHALLOW_LEAVES}
        blocks["shallow"] = [Trees(kind="boosting", **small)]
    return blocks


def _bent(effort: Effort, n_features: int, sparse: bool, schema: Schema | None) -> list[Layer]:
    """What the linear block sees: columns, and broken lines of those that have an order."""
    if schema is None:
        few = not sparse and n_features <= BENT_COLUMNS
        return [Parallel([[Identity()], [effort.bends(n_features)]])] if few else []
    numbers = len(Encode(kinds="numbers", schema=schema).output_names())
    if not 0 < numbers <= BENT_COLUMNS:
        return [Encode()]
    return [Parallel([[Encode()], [Encode(kinds="numbers"), effort.bends(numbers)]])]


def _scaled(sparse: bool) -> list[Layer]:
    """What comes before a kernel: columns of like spread, without long tails."""
    # scaled again, as the clip leaves columns with long tails narrow
    scaled = [Standardize(clip=3.0), Standardize()]
    return scaled if sparse else [NormalScores(), *scaled]


def dense_layers(n_samples: int, n_features: int) -> list[Layer]:
    """One hidden block of ReLU units, for rules that need derivatives.

    Width costs time in proportion to its square and pays as long as rows are many: about
    eight units for each square root of a row and two for each column, between 64 and 2000.

    Parameters
    ----------
    n_samples, n_features : int

    Returns
    -------
    layers : list of Layer

    Examples
    --------
    >>> from sklearn_zorb.auto import dense_layers
    >>> dense_layers(150, 4)
    [Dense(units=96), ReLU()]
    """
    width = 8 * np.sqrt(n_samples) + 2 * n_features
    units = int(np.clip(width, 64, 2000)) // 16 * 16
    return [Dense(units), ReLU()]
