"""Array backends: the few operations in which NumPy and JAX differ.

Everything else in the package is written once against the array namespace that
`namespace` finds for its inputs. JAX is imported on first need only, and float64 is
entered in a scope, so that no global flag is ever changed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.linalg import blas, lapack

from ..memory import ACCELERATOR_BYTES, CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from numpy.typing import DTypeLike

    from ..typing import Array, Result

    Backend: TypeAlias = "NumpyBackend | JaxBackend"

# a CPU does less than this in about a second, and an accelerator in half of one
ACCELERATOR_FLOPS = 1e11
# JAX keeps each program that it ever compiled, some 1.5 MB: so many are kept at the most
MOST_PROGRAMS = 96
# to try out kernels for each product, and to generate some beside those of the library, took
# most of the time of a first fit and brought later ones nothing
GPU_OPTIONS = {"xla_gpu_autotune_level": 0, "xla_gpu_enable_triton_gemm": False}


def is_jax(array: object) -> bool:
    """Tell whether this is an array or a tracer of JAX; never imports JAX."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(array, jax.Array)


def is_traced(array: object) -> bool:
    """Tell whether this stands for an array of JAX while a program is made."""
    return is_jax(array) and isinstance(array, sys.modules["jax"].core.Tracer)


def namespace(array: Any) -> ModuleType:
    """Give the array module of `array`: `numpy`, `jax.numpy`, or the one that it names."""
    if isinstance(array, np.ndarray):
        return np
    if is_jax(array):
        return sys.modules["jax"].numpy
    return array.__array_namespace__() if hasattr(array, "__array_namespace__") else np


class NumpyBackend:
    """NumPy and SciPy, which leave all products and decompositions to BLAS."""

    name = "numpy"
    xp: ModuleType = np
    chunk_bytes = CHUNK_BYTES
    accelerated = False

    def scope(self) -> AbstractContextManager[None]:
        """A context within which arrays keep their precision."""
        return contextlib.nullcontext()

    def asarray(self, array: Any, dtype: DTypeLike | None = None) -> Any:
        return array if sp.issparse(array) else np.asarray(array, dtype=dtype)

    def call(self, function: Callable[..., Result], *arrays: Any, **options: Any) -> Result:
        """``function(backend, *arrays, **options)``."""
        return function(self, *arrays, **options)

    def matmul(self, left: Array, right: Array) -> Array:
        """`left @ right` of large matrices."""
        return left @ right

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        """Eigenvalues and vectors of a symmetric matrix."""
        values, vectors, info = lapack.dsyevd(matrix.T, lower=0)
        if info != 0:
            raise np.linalg.LinAlgError(f"no eigenvalues found: dsyevd ended with info={info}.")
        return values, vectors

    def triangle(self, rows: Array) -> Array:
        """The R of a QR decomposition."""
        return scipy.linalg.qr(rows, mode="r", check_finite=False)[0][: rows.shape[1]]

    def svd(self, matrix: Array) -> tuple[Array, Array, Array]:
        """Left vectors, singular values and right vectors, as rows, without those of zeros."""
        return scipy.linalg.svd(matrix, full_matrices=False, check_finite=False)

    def cholesky(self, matrix: Array, shift: float) -> np.ndarray | None:
        """Upper factor R with R.T @ R = matrix + shift * I, or None if not definite."""
        shifted = np.array(matrix, order="C")
        shifted.flat[:: len(shifted) + 1] += shift
        # symmetric: its transpose lies in memory as LAPACK wants it
        factor, info = lapack.dpotrf(shifted.T, lower=0, overwrite_a=1, clean=1)
        return factor if info == 0 else None

    def ridge(self, matrix: Array, cross: Array, alpha: float) -> tuple[Array, Array, float] | None:
        """Factor, coefficients and ``tr(W' C + alpha W' W)``, or None if not definite."""
        factor = self.cholesky(matrix, alpha)
        if factor is None:
            return None
        coef = lapack.dpotrs(factor, cross, lower=0)[0]
        return factor, coef, float(_gain(coef, cross, alpha))

    def inverse_diagonal(self, factor: Array) -> Array:
        """Diagonal of the inverse of R.T @ R."""
        inverse, _ = lapack.dtrtri(factor, lower=0)
        return np.einsum("ij,ij->i", inverse, inverse)

    def leverages(self, factor: Array, rows: Array) -> Array:
        """diag(rows @ inv(R.T R) @ rows.T)."""
        half = blas.dtrsm(1.0, factor, np.asfortranarray(rows.T), trans_a=1)
        return np.einsum("ij,ij->j", half, half)


class JaxBackend:
    """JAX: compiled once for each shape, on an accelerator where there is one."""

    name = "jax"

    def __init__(self) -> None:
        import jax

        self.xp: ModuleType = jax.numpy
        self.scipy = jax.scipy
        self.process = os.getpid()
        platform = jax.devices()[0].platform
        self.accelerated = platform != "cpu"
        self.chunk_bytes = ACCELERATOR_BYTES if self.accelerated else CHUNK_BYTES
        self._options = known_options(jax, GPU_OPTIONS) if platform == "gpu" else None
        self._jax = jax
        self._programs: dict[Hashable, Callable[..., Any]] = {}
        self._n_compiled = 0
        jax.monitoring.register_event_duration_secs_listener(self._count)

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        # accelerators would round factors in single precision to ten bits
        with self._jax.enable_x64(True), self._jax.default_matmul_precision("highest"):
            yield
        if self._n_compiled > MOST_PROGRAMS:
            self._n_compiled = 0
            self._jax.clear_caches()  # type: ignore[no-untyped-call]  # of JAX

    def _count(self, event: str, duration_secs: float, **more: str | int) -> None:
        self._n_compiled += event.endswith("backend_compile_duration")

    def asarray(self, array: Any, dtype: DTypeLike | None = None) -> Any:
        return array if sp.issparse(array) else self.xp.asarray(array, dtype=dtype)

    def call(self, function: Callable[..., Result], *arrays: Any, **options: Hashable) -> Result:
        """``function(backend, *arrays, **options)`` as one program, compiled for the options.

        A fresh process waits longer for compilers, once for each operation and shape, than
        the operations take.
        """
        key = function, tuple(options.items())
        if key not in self._programs:
            self._programs[key] = self.compiled(functools.partial(function, self, **options))
        return self._programs[key](*arrays)

    def compiled(self, function: Callable[..., Result]) -> Callable[..., Result]:
        """`function` of arrays as one program."""
        return self._jax.jit(function, compiler_options=self._options)

    def matmul(self, left: Array, right: Array) -> Array:
        # options of the compiler are for whole programs, not for their parts
        return left @ right if is_traced(left) else self.call(_product, left, right)

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        return self.xp.linalg.eigh(matrix, symmetrize_input=False)

    def triangle(self, rows: Array) -> Array:
        return self.xp.linalg.qr(rows, mode="r")

    def svd(self, matrix: Array) -> tuple[Array, Array, Array]:
        return self.xp.linalg.svd(matrix, full_matrices=False)

    def ridge(self, matrix: Array, cross: Array, alpha: float) -> tuple[Array, Array, float] | None:
        factor, coef, found = self.call(_jax_ridge, matrix, cross, alpha)
        gain = float(found)
        return (factor, coef, gain) if np.isfinite(gain) else None

    def inverse_diagonal(self, factor: Array) -> Array:
        return self.call(_jax_inverse_diagonal, factor)

    def leverages(self, factor: Array, rows: Array) -> Array:
        return self.call(_jax_leverages, factor, rows)


def known_options(jax: ModuleType, options: dict[str, Any]) -> dict[str, Any] | None:
    """Options of the compiler, None where it does not know one: their names come and go."""
    try:
        jax.jit(lambda number: number, compiler_options=options)(0.0)
    except jax.errors.JaxRuntimeError:
        return None
    return options


def _product(ops: Backend, left: Array, right: Array) -> Array:
    return left @ right


def _gain(coef: Array, cross: Array, alpha: Any) -> Array:
    return (coef * cross).sum() + alpha * (coef**2).sum()


def _jax_ridge(
    ops: JaxBackend, matrix: Array, cross: Array, alpha: Any
) -> tuple[Array, Array, Array]:
    """Not a number everywhere where the matrix is not definite."""
    shifted = matrix + alpha * ops.xp.eye(len(matrix), dtype=matrix.dtype)
    factor = ops.xp.linalg.cholesky(shifted, upper=True)
    coef = ops.scipy.linalg.cho_solve((factor, False), cross)
    return factor, coef, _gain(coef, cross, alpha)


def _jax_inverse_diagonal(ops: JaxBackend, factor: Array) -> Array:
    eye = ops.xp.eye(len(factor), dtype=factor.dtype)
    inverse = ops.scipy.linalg.solve_triangular(factor, eye)
    return (inverse**2).sum(axis=1)


def _jax_leverages(ops: JaxBackend, factor: Array, rows: Array) -> Array:
    half = ops.scipy.linalg.solve_triangular(factor, rows.T, trans=1)
    return (half**2).sum(axis=0)


_BACKENDS: dict[str, Any] = {}
_IMPORTED_IN = os.getpid()


@overload
def get_backend(name: Literal["jax"]) -> JaxBackend: ...
@overload
def get_backend(name: Literal["numpy"]) -> NumpyBackend: ...
@overload
def get_backend(name: str) -> Backend: ...
def get_backend(name: str) -> Backend:
    """Give the backend called ``"numpy"`` or ``"jax"``; JAX is imported on first need.

    Raises
    ------
    RuntimeError
        In a process forked from one in which JAX was running: it would deadlock there.
    """
    if name == "jax":
        _refuse_forked_jax()
    if name not in _BACKENDS:
        _BACKENDS[name] = {"numpy": NumpyBackend, "jax": JaxBackend}[name]()
    return _BACKENDS[name]


def _refuse_forked_jax() -> None:
    ours = _BACKENDS.get("jax")
    started_in = ours.process if ours is not None else _IMPORTED_IN
    # without a backend of ours, JAX may have been started by others before the fork
    if os.getpid() != started_in and (ours is not None or "jax" in sys.modules):
        raise RuntimeError(
            "backend='jax' cannot run in a process forked after JAX was started: its threads "
            "do not survive the fork. Use joblib's 'loky' backend (its default) or 'threading', "
            "or pass backend='numpy'."
        )


def choose_backend(name: str, flops: float) -> str:
    """Choose the backend to use for about `flops` of matrix products, by name.

    "auto" is JAX where it finds an accelerator and there is enough to do, NumPy elsewhere. A
    first fit waits for compilers in any case; the crossover is that of later ones. On a CPU,
    BLAS's symmetric products in float64 run at about three times the rate of XLA's general
    ones. JAX is imported only if a plugin for an accelerator is installed.
    """
    if name != "auto":
        return name
    if flops < ACCELERATOR_FLOPS or not entry_points(group="jax_plugins"):
        return "numpy"
    import jax

    return "numpy" if jax.default_backend() == "cpu" else "jax"


def worth_moving(name: str, flops: float) -> str:
    """The backend for rows that are NumPy's: another one where it saves more than it costs."""
    return name if flops >= ACCELERATOR_FLOPS else "numpy"


def to_numpy(array: Any) -> Any:
    """Copy an array of JAX to a writable one of NumPy; hand on anything else."""
    return np.array(array) if is_jax(array) else array


def in_precision_of(values: Array, number: Array) -> Array:
    """Give `number` the floating precision of `values`."""
    return number.astype(np.result_type(values.dtype, np.float32))
