"""Reading an image set: from an NPZ file of the data directory, else from OpenML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .sources import as_bunch, fetch, find_file, read_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from numpy.typing import ArrayLike


class ImageSet(NamedTuple):
    """What is known of an image set before it is read."""

    name: str
    openml_name: str
    image_shape: tuple[int, int, int]
    n_test: int = 10_000

    @property
    def patterns(self) -> tuple[str, ...]:
        return (f"{self.name}.npz", f"{self.name}_*.npz")

    def locate(self, data_home: str | PathLike[str] | None = None) -> Path | None:
        """Path of the file, or None."""
        return find_file(self.patterns, data_home)

    def load(
        self,
        data_home: str | PathLike[str] | None = None,
        return_X_y: bool = False,
        download_if_missing: bool = True,
    ) -> Any:
        """The set as a Bunch; see `sklearn_zorb.datasets.load_mnist`."""
        path = self.locate(data_home)
        if path is not None:
            parts: Sequence[np.ndarray] = _read_npz(path)
        else:
            where = (self.name, self.openml_name, self.patterns[0])
            parts = self._split(fetch(*where, download=download_if_missing))
        arrays: list[Any] = []
        for images, labels in zip(parts[::2], parts[1::2], strict=True):
            arrays += [_pixels(images, self.image_shape, self.name), _labels(labels)]
        if return_X_y:
            return tuple(arrays[:2])
        arrays += [None] * (4 - len(arrays))  # where there is no test part
        return as_bunch(arrays, image_shape=self.image_shape, task="classification")

    def _split(self, openml: Any) -> tuple[np.ndarray, ...]:
        """Training and test part of OpenML's table: the test rows come last there."""
        images, target = np.asarray(openml.data, dtype=np.uint8), np.asarray(openml.target)
        if self.image_shape[-1] > 1:  # stored channel by channel
            height, width, channels = self.image_shape
            images = images.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        train, test = slice(None, -self.n_test), slice(-self.n_test, None)
        return images[train], target[train], images[test], target[test]


def _read_npz(path: Path) -> Sequence[np.ndarray]:
    """The arrays (x, y) or (x_train, y_train, x_test, y_test) of an NPZ file."""
    arrays = read_arrays(path)
    for names in (("x_train", "y_train", "x_test", "y_test"), ("x", "y")):
        if arrays.keys() >= set(names):
            return [arrays[name] for name in names]
    raise ValueError(
        f"{str(path)!r} must hold the arrays x_train, y_train, x_test, y_test or x, y; "
        f"it holds {', '.join(arrays) or 'none'}."
    )


def _pixels(images: np.ndarray, image_shape: tuple[int, ...], name: str) -> np.ndarray:
    """Images as rows of float32 between 0 and 1."""
    n_pixels = math.prod(image_shape)
    if math.prod(images.shape[1:]) != n_pixels:
        raise ValueError(
            f"The images of {name!r} must have {n_pixels} pixels ({image_shape}), got arrays "
            f"of shape {images.shape[1:]}."
        )
    rows = images.reshape(len(images), n_pixels).astype(np.float32)
    rows /= 255
    return rows


def _labels(target: ArrayLike) -> np.ndarray:
    """Integer labels; names of classes are numbered in sorted order."""
    try:
        return np.asarray(target).astype(np.int64)
    except ValueError:
        return np.unique(np.asarray(target, dtype=str), return_inverse=True)[1]
