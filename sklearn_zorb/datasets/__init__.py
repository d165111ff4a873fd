"""Data sets: drawn from a formula, read from files, or fetched from OpenML.

The loaders look in the directory that ``data_home`` or the environment variable
``SKLEARN_ZORB_DATA`` names before they ask OpenML.
"""

from .flats import make_flats
from .generated import make_sinc, make_two_spirals, make_xor
from .images import (
    load_cifar10,
    load_cifar100,
    load_fashion_mnist,
    load_kmnist,
    load_mnist,
)
from .registry import DatasetInfo, list_datasets, load_dataset
from .tables import load_boston, load_table

__all__ = [
    "DatasetInfo",
    "list_datasets",
    "load_boston",
    "load_cifar10",
    "load_cifar100",
    "load_dataset",
    "load_fashion_mnist",
    "load_kmnist",
    "load_mnist",
    "load_table",
    "make_flats",
    "make_sinc",
    "make_two_spirals",
    "make_xor",
]
