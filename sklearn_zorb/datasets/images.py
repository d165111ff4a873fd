"""Loaders of the image sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .image_set import ImageSet

if TYPE_CHECKING:
    from os import PathLike

IMAGE_SETS = {
    image_set.name: image_set
    for image_set in (
        ImageSet("mnist", "mnist_784", (28, 28, 1)),
        ImageSet("fashion_mnist", "Fashion-MNIST", (28, 28, 1)),
        ImageSet("kmnist", "Kuzushiji-MNIST", (28, 28, 1)),
        ImageSet("cifar10", "CIFAR_10", (32, 32, 3)),
        ImageSet("cifar100", "CIFAR-100", (32, 32, 3)),
    )
}


def load_mnist(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load MNIST: handwritten digits, 60 000 to train and 10 000 to test.

    The file ``mnist.npz`` (or ``mnist_*.npz``, for a part of the set) is looked for in
    `data_home`, then in the directory that the environment variable ``SKLEARN_ZORB_DATA``
    names; where there is none, the set is fetched from OpenML. The file holds unsigned
    bytes: ``x_train, y_train, x_test, y_test``, or ``x, y`` where the part is not split.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of the file.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` of the training part in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    mnist : sklearn.utils.Bunch
        With the attributes

        data : ndarray of shape (n_samples, 784), float32
            Pixels between 0 and 1, row by row.
        target : ndarray of shape (n_samples,), int64
            The class of each image.
        data_test, target_test : ndarray
            The published test part; None where the file is not split.
        image_shape : tuple
            (28, 28, 1): height, width, channels.
        task : str
            "classification".

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_mnist
    >>> load_mnist().data.shape  # doctest: +SKIP
    (60000, 784)
    """
    return IMAGE_SETS["mnist"].load(data_home, return_X_y, download_if_missing)


def load_fashion_mnist(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load Fashion-MNIST: articles of clothing, 60 000 to train and 10 000 to test.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of ``fashion_mnist.npz`` or ``fashion_mnist_*.npz``, as in `load_mnist`.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` of the training part in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    fashion_mnist : sklearn.utils.Bunch
        As `load_mnist` returns it, with ``image_shape`` (28, 28, 1).

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_fashion_mnist
    >>> load_fashion_mnist().data.shape  # doctest: +SKIP
    (60000, 784)
    """
    return IMAGE_SETS["fashion_mnist"].load(data_home, return_X_y, download_if_missing)


def load_kmnist(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load Kuzushiji-MNIST: cursive Japanese characters, 60 000 to train and 10 000 to test.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of ``kmnist.npz`` or ``kmnist_*.npz``, as in `load_mnist`.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` of the training part in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    kmnist : sklearn.utils.Bunch
        As `load_mnist` returns it, with ``image_shape`` (28, 28, 1).

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_kmnist
    >>> load_kmnist().data.shape  # doctest: +SKIP
    (60000, 784)
    """
    return IMAGE_SETS["kmnist"].load(data_home, return_X_y, download_if_missing)


def load_cifar10(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load CIFAR-10: colour photographs in 10 classes, 50 000 to train and 10 000 to test.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of ``cifar10.npz`` or ``cifar10_*.npz``, as in `load_mnist`.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` of the training part in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    cifar10 : sklearn.utils.Bunch
        As `load_mnist` returns it, with ``image_shape`` (32, 32, 3): the three
        colours of a pixel stand together.

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_cifar10
    >>> load_cifar10().data.shape  # doctest: +SKIP
    (50000, 3072)
    """
    return IMAGE_SETS["cifar10"].load(data_home, return_X_y, download_if_missing)


def load_cifar100(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load CIFAR-100: colour photographs in 100 classes, 50 000 to train and 10 000 to test.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of ``cifar100.npz`` or ``cifar100_*.npz``, as in `load_mnist`.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` of the training part in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    cifar100 : sklearn.utils.Bunch
        As `load_mnist` returns it, with ``image_shape`` (32, 32, 3): the three
        colours of a pixel stand together.

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_cifar100
    >>> load_cifar100().data.shape  # doctest: +SKIP
    (50000, 3072)
    """
    return IMAGE_SETS["cifar100"].load(data_home, return_X_y, download_if_missing)
