"""Reading an image set: from an NPZ file of the data directory, else from OpenML."""

import math
import zipfile
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from .sources import fetch, find_file


class ImageSet(NamedTuple):
    """What is known of an image set before it is read."""

    name: str
    openml_name: str
    image_shape: tuple
    n_test: int = 10_000

    @property
    def patterns(self):
        return (f"{self.name}.npz", f"{self.name}_*.npz")

    def locate(self, data_home=None):
        """Path of the file, or None."""
        return find_file(self.patterns, data_home)

    def load(self, data_home=None, return_X_y=False, download_if_missing=True):
        """The set as a Bunch; see `sklearn_zorb.datasets.load_mnist`."""
        path = self.locate(data_home)
        if path is not None:
            parts = _read_npz(path)
        else:
            filename = self.patterns[0]
            parts = self._split(
                fetch(self.name, self.openml_name, filename, download=download_if_missing)
            )
        images = [_pixels(part, self.image_shape, self.name) for part in parts[::2]]
        labels = [_labels(part) for part in parts[1::2]]
        if return_X_y:
            return images[0], labels[0]
        has_test = len(images) == 2
        return Bunch(
            data=images[0],
            target=labels[0],
            data_test=images[1] if has_test else None,
            target_test=labels[1] if has_test else None,
            image_shape=self.image_shape,
            task="classification",
        )

    def _split(self, openml):
        """Training and test part of OpenML's table: the test rows come last there."""
        images, target = np.asarray(openml.data, dtype=np.uint8), np.asarray(openml.target)
        if self.image_shape[-1] > 1:  # stored channel by channel
            height, width, channels = self.image_shape
            images = images.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        train, test = slice(None, -self.n_test), slice(-self.n_test, None)
        return images[train], target[train], images[test], target[test]


def _read_npz(path):
    """The arrays (x, y) or (x_train, y_train, x_test, y_test) of an NPZ file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for names in (("x_train", "y_train", "x_test", "y_test"), ("x", "y")):
                if set(names) <= set(arrays.files):
                    return [arrays[name] for name in names]
            found = ", ".join(arrays.files) or "none"
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise ValueError(f"{str(path)!r} is not a readable NPZ file: {error}") from error
    raise ValueError(
        f"{str(path)!r} must hold the arrays x_train, y_train, x_test, y_test or x, y; "
        f"it holds {found}."
    )


def _pixels(images, image_shape, name):
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


def _labels(target):
    """Integer labels; names of classes are numbered in sorted order."""
    try:
        return np.asarray(target).astype(np.int64)
    except ValueError:
        return np.unique(np.asarray(target, dtype=str), return_inverse=True)[1]
