"""What ``layers="fast"``, ``"auto"`` and ``"best"`` build for images, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    CReLU,
    Flatten,
    FlipAverage,
    Kernel,
    Parallel,
    Power,
    Reshape,
    ShiftAverage,
    Stack,
)
from .efforts import n_landmarks

if TYPE_CHECKING:
    from ..layers import Auto
    from ..layers.base import Layer
    from ..typing import Shape

# pixels of the shorter side, below which an image is a row like any other
LEAST_SIDE = 8
# and beyond which neighbouring pixels are replaced by their mean: filters see as much at a time
USUAL_SIDE = 32
# of the window of a filter, and regions that its responses are pooled to, down and across
MOST_SIZE, REGIONS = 6, 4
CONTRAST, THRESHOLD = 0.01, 0.5
# what other filters made has far fewer directions that count than numbers
DEEP_WHITENING = 1.0
LEAST_FILTERS, LEAST_LANDMARKS = 20, 500
# bytes of pooled responses of all images, of both signs in single precision
FEATURE_BYTES = 1.6e9


@dataclass(frozen=True)
class ImageEffort:
    """How much work a network of images is.

    Attributes
    ----------
    filters : int
        Most of them.
    landmarks : int
        Most of them.
    distances : float
        What the products of all images with all landmarks may take.
    shifts : bool
        Whether images a pixel aside count as much, which takes five times as long.
    """

    filters: int
    landmarks: int
    distances: float
    shifts: bool = False


IMAGE_EFFORTS = {
    "fast": ImageEffort(filters=100, landmarks=1000, distances=2e11),
    "auto": ImageEffort(filters=400, landmarks=6000, distances=1.6e12),
    "best": ImageEffort(filters=600, landmarks=6000, distances=1.6e13, shifts=True),
}


def is_image(shape: Shape | None) -> bool:
    """Whether a sample is an image that filters can do something with."""
    return shape is not None and len(shape) in (2, 3) and min(shape[:2]) >= LEAST_SIDE


def image_layers(n_rows: int, shape: Shape, auto: Auto) -> list[Layer]:
    """Build the list for so many images of a shape (height, width[, channels])."""
    work, sides = IMAGE_EFFORTS[auto.effort], np.array(shape[:2])
    channels = shape[2] if len(shape) == 3 else 1
    front: list[Layer] = [] if len(shape) == 3 else [Reshape((*shape, 1))]
    coarse = max(1, round(int(sides.min()) / USUAL_SIDE))
    if coarse > 1:
        front.append(AvgPool2D(coarse))
        sides = sides // coarse
    size = int(np.clip(sides.min() // 4 + 1, 2, MOST_SIZE))
    regions = min(REGIONS, int(sides.min()) // 3)
    fitting = FEATURE_BYTES / (n_rows * 8 * regions**2)
    n_filters = max(LEAST_FILTERS, int(min(work.filters, fitting)) // 10 * 10)
    if channels == 3:
        body = _of_photographs(n_filters, size, regions)
    else:
        body = _pooled(_filters(n_filters, size), regions=regions)
    if work.shifts:
        body = [ShiftAverage(body)]
    affordable = work.distances / (n_rows * 2 * n_filters * regions**2)
    usual = min(n_rows, work.landmarks, max(LEAST_LANDMARKS, int(affordable) // 100 * 100))
    landmarks = n_landmarks(auto, usual, n_rows)
    kernel = Kernel(landmarks, kind="gaussian", bandwidth=1.0, reweight=0)
    # a stack, for the read-out to see the kernel alone
    return [*front, *body, Power(), BatchNorm(), Stack([[kernel]])]


def _of_photographs(n_filters: int, size: int, regions: int) -> list[Layer]:
    """Filters of pixels beside filters of what others make of pixels.

    What is photographed has no side and lies anywhere, as digits and letters do not: regions
    overlap, and mirror images count as much.
    """
    pooling = {"regions": regions, "overlap": 0.5}
    of_pixels = _pooled(_filters(n_filters // 2, size), **pooling)
    few = _filters(max(5, n_filters // 8), min(size, 5))
    deep = _pooled(_filters(n_filters // 2, 3, whitening=DEEP_WHITENING), **pooling)
    of_others = [few, CReLU(THRESHOLD), AvgPool2D(), Power(), *deep]
    return [FlipAverage([Parallel([of_pixels, of_others])])]


def _pooled(filters: Conv2D, **pooling: Any) -> list[Layer]:
    """Responses of both signs, pooled."""
    return [filters, CReLU(THRESHOLD), AvgPool2D(**pooling), Flatten()]


def _filters(n_filters: int, size: int, **settings: Any) -> Conv2D:
    """Filters that are learned from windows, and stay as they are."""
    return Conv2D(
        n_filters, size, padding=(size - 1) // 2, initializer="kmeans", contrast=CONTRAST,
        relaxation=0, **settings,
    )  # fmt: skip
