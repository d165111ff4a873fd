"""Windows of training images, and their contrast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..linalg import in_precision_of, namespace, to_numpy
from ..memory import Memory
from ..rows import Rows
from ..rows.duplicates import row_keys
from .shape import Flatten

if TYPE_CHECKING:
    from ..typing import Array, Params
    from .base import InitialData
    from .windows import Windows

# enough for the covariance of some hundred pixels, and for thousands of filters; fewer where a
# window is so large that they would take more numbers than this
LEARNED_WINDOWS, LEARNED_NUMBERS = 100_000, 2.5e7
# of one image, where there are enough images
WINDOWS_OF_IMAGE = 20
# windows that vary less than this share of the mean are blank: nothing can be learned of them
BLANK = 1e-3


def with_contrast(rows: Any, params: Params) -> Any:
    """Windows of mean zero and a spread of about one, where params hold a floor of variances."""
    if "floor" not in params:
        return rows
    width, rows = rows.shape[1], rows - rows.mean(axis=1, keepdims=True)
    variance = namespace(rows).vecdot(rows, rows)[:, None] / width
    rows /= (variance + in_precision_of(rows, params["floor"])) ** 0.5
    return rows


def without_contrast(pixels: Any, present: Any, params: Params) -> Array:
    """Targets for windows as they are: the mean and spread of the present ones put back."""
    xp = namespace(pixels)
    mean = present.mean(axis=1, keepdims=True)
    spread = (present.var(axis=1, keepdims=True) + in_precision_of(present, params["floor"])) ** 0.5
    flat = pixels.reshape(present.shape)
    return xp.reshape(flat * spread + mean, pixels.shape)


def mean_variance(rows: np.ndarray) -> float:
    """Mean variance of windows, at least the smallest number there is."""
    return max(float(rows.var(axis=1).mean()), np.finfo(np.float64).tiny)


def draw_windows(windows: Windows, rng: np.random.Generator, data: InitialData) -> np.ndarray:
    """Windows at random places of random distinct images of positive weight: (n, width).

    Blank ones are left out as long as there are others.
    """
    inputs, _, sample_weight = data
    source = Rows.of(inputs)
    if source.blocks is None:
        source = Rows(source.source, dtype=source.dtype)  # copies are known before any layer
    keys = row_keys(source.then(Flatten(), {}), Memory())
    images = np.arange(len(keys)) if sample_weight is None else np.flatnonzero(sample_weight)
    # the order of keys does not depend on that of rows
    images = images[np.unique(keys[images], return_index=True)[1]]
    positions = math.prod(windows.counts)
    width = math.prod(windows.size) * inputs.shape[-1]
    wanted = min(LEARNED_WINDOWS, int(LEARNED_NUMBERS / width))
    images = rng.permutation(images)[: max(1, wanted // WINDOWS_OF_IMAGE)]
    each = min(positions, max(1, -(-wanted // len(images))))
    found = []
    for part in Memory().chunks(len(images), 8 * positions * width):
        some = images[part]
        rows = to_numpy(windows.patches(inputs[some])).reshape(len(some), positions, width)
        places = rng.permuted(np.tile(np.arange(positions), (len(some), 1)), axis=1)[:, :each]
        found.append(np.take_along_axis(rows, places[:, :, None], axis=1).reshape(-1, width))
    rows = np.concatenate(found)
    variance = rows.var(axis=1)
    return rows[variance >= BLANK * variance.mean()]


def most_varied(windows: Windows, inputs: Any) -> np.ndarray:
    """The window of largest variance in each image: one row for each sample.

    It depends on the image alone, so that repeating a sample changes nothing.
    """
    positions = math.prod(windows.counts)
    width = math.prod(windows.size) * inputs.shape[-1]
    chosen = []
    for part in Memory().chunks(inputs.shape[0], 16 * positions * width):
        rows = to_numpy(windows.patches(inputs[part])).reshape(-1, positions, width)
        best = rows.var(axis=2).argmax(axis=1)
        chosen.append(rows[np.arange(len(rows)), best])
    return np.concatenate(chosen)
