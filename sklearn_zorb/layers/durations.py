"""How long it takes to solve layers, roughly, and what is left of it."""

from __future__ import annotations

import math
from functools import partial, singledispatch
from time import perf_counter
from typing import TYPE_CHECKING

from ..rows import output_shapes
from .base import Layer
from .composite import Branches
from .dense import Dense
from .kernel import Kernel
from .models import EstimatorLayer, Trees

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..typing import Shape

# of one core: for each product of numbers where matrices are multiplied or decomposed, for each
# difference of a distance, and for each entry of an array
PRODUCT, DECOMPOSITION, DIFFERENCE, ENTRY = 4e-11, 1.5e-10, 1e-9, 2e-8
# seconds that count as done at the expected speed: what is done in less says little of others
PRIOR = 0.5


@singledispatch
def seconds_of(layer: Layer, shape: Shape, n_rows: int, n_outputs: int) -> float:
    """Seconds that solving a layer takes, to a factor of some three.

    Only their shares matter, as `TimeLeft` learns how fast a machine is. Each class of layers has a
    rule, which ``seconds_of.register`` takes for others, too; others take a pass over their inputs.

    Parameters
    ----------
    layer : Layer
    shape : tuple of int
        Of one sample of its input.
    n_rows : int
    n_outputs : int
        Of the network.

    Returns
    -------
    seconds : float
    """
    return ENTRY * n_rows * math.prod(shape)


@seconds_of.register(Dense)
def _of_dense(layer: Dense, shape: Shape, n_rows: int, n_outputs: int) -> float:
    return ENTRY * n_rows * (layer.units or n_outputs) + _of_ridge(n_rows, math.prod(shape))


def _of_ridge(n_rows: int, width: int) -> float:
    return ENTRY * n_rows * width + PRODUCT * n_rows * width**2 + DECOMPOSITION * width**3


@seconds_of.register(Kernel)
def _of_kernel(layer: Kernel, shape: Shape, n_rows: int, n_outputs: int) -> float:
    search = 0.15 * (3 if layer.kind == "auto" else 1) if layer.reweight else 0.0
    landmarks = min(int(layer.units), n_rows)
    distances = DIFFERENCE * n_rows * landmarks * math.prod(shape)
    return search + distances + _of_ridge(n_rows, landmarks)


@seconds_of.register(Trees)
def _of_trees(layer: Trees, shape: Shape, n_rows: int, n_outputs: int) -> float:
    width = math.prod(shape)
    if layer.kind == "boosting":
        # in each fold a tree for each class or output
        n_trees = layer.cv * layer.n_estimators * (n_outputs if n_outputs > 2 else 1)
        return n_trees * (1.4e-3 + 1.2e-5 * width + 5e-9 * n_rows * width)
    drawn = min(n_rows, layer.max_samples or n_rows)
    tried = math.sqrt(width) if n_outputs > 1 else width / 2
    return layer.n_estimators * (2e-3 + 2.5e-8 * drawn * math.log2(drawn + 1) * tried)


@seconds_of.register(EstimatorLayer)
def _of_estimator(layer: EstimatorLayer, shape: Shape, n_rows: int, n_outputs: int) -> float:
    # whatever it is
    return layer.cv * (0.01 + 1e-6 * n_rows * math.prod(shape))


@seconds_of.register(Branches)
def _of_branches(layer: Branches, shape: Shape, n_rows: int, n_outputs: int) -> float:
    return sum(seconds_of_list(path, shape, n_rows, n_outputs) for path in layer.paths())


def seconds_of_list(layers: Sequence[Layer], shape: Shape, n_rows: int, n_outputs: int) -> float:
    """Seconds that solving a list of layers takes."""
    shapes = output_shapes(layers, shape)
    seconds = partial(seconds_of, n_rows=n_rows, n_outputs=n_outputs)
    return sum(seconds(layer, shape) for layer, shape in zip(layers, shapes, strict=False))


class TimeLeft:
    """What is left of the time for several parts, told whenever one is done.

    Parameters
    ----------
    expected : sequence of float
        Seconds that each part may take.
    beside : collection of int
        Parts that are done one after the other while others are, too.

    Examples
    --------
    >>> from sklearn_zorb.layers.durations import TimeLeft
    >>> left = TimeLeft([1.0, 20.0, 60.0])
    >>> round(left.after(1, seconds=40.0))  # half as fast as was expected, and only begun
    160
    """

    def __init__(self, expected: Sequence[float], beside: Collection[int] = ()) -> None:
        self.expected, self.start = expected, perf_counter()
        self.longest = max(
            sum(one for i, one in enumerate(expected) if (i in beside) is one_of_them)
            for one_of_them in (True, False)
        )
        self.of_done, self.spent = PRIOR, PRIOR

    def after(self, part: int, seconds: float) -> float:
        """Seconds until all parts are done, after a part that took so many."""
        self.of_done += self.expected[part]
        self.spent += seconds
        rate = self.spent / self.of_done
        return max(0.0, rate * self.longest - (perf_counter() - self.start))
