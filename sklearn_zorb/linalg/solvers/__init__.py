"""Solvers of least squares: one a file, all of them `Factors`."""

from .base import Factors
from .cholesky import Cholesky
from .diagonal import Diagonal, is_diagonal
from .dual import Dual, DualRidge
from .eigen import Eigen
from .qr_svd import QrSvd

__all__ = [
    "Cholesky",
    "Diagonal",
    "Dual",
    "DualRidge",
    "Eigen",
    "Factors",
    "QrSvd",
    "is_diagonal",
]
