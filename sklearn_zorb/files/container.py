"""The outermost form of a model file: a line that says what it is, a digest, JSON, arrays.

``sklearn-zorb model, format 1, written by sklearn-zorb 0.2.0``
    The first line.
64 hexadecimal digits
    The second line: SHA-256 of the first line and of all that follows the second.
JSON
    The third line, an object. Its ``"arrays"`` list ``[dtype, shape, order]`` of each array.
bytes
    Those of the arrays, one behind the other, up to the end of the file.

A later version may change what stands in the JSON, and then raises the number of the format.
The first two lines stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike


FORMAT = 1
FIRST = re.compile(rb"sklearn-zorb model, format (\d{1,9}), written by sklearn-zorb (\S{1,64})\n")
DIGITS = 64
EMPTY, MOST_AXES = 1_000_000, 64
# how a pickle, and those that joblib compresses, begin
PICKLES = (b"\x80", b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"]\x00\x00", b"\x04\x22\x4d\x18")
# numbers, text, bytes and times; anything else, objects above all, is no plain data
DTYPE = re.compile(
    r"[<>|](b1|[iu][1248]|f[248]|c8|c16|[SU][1-9]\d{0,8}|"
    r"[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)"
)


def write_container(
    tree: dict[str, Any], arrays: Sequence[np.ndarray], version: str
) -> list[bytes]:
    """Parts of a file, to be written one behind the other.

    Parameters
    ----------
    tree : dict
        What JSON can hold.
    arrays : list of ndarray
    version : str
        That of the package.

    Returns
    -------
    parts : list of bytes
    """
    described, parts = [], []
    for array in arrays:
        order: Literal["F", "C"] = (
            "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        )
        described.append([array.dtype.str, array.shape, order])
        parts.append(array.tobytes(order))
    text = json.dumps({**tree, "arrays": described}, allow_nan=False, separators=(",", ":"))
    first = f"sklearn-zorb model, format {FORMAT}, written by sklearn-zorb {version}\n".encode()
    parts = [text.encode("ascii"), b"\n", *parts]
    return [first, _digest([first, *parts]), b"\n", *parts]


def _digest(parts: Iterable[bytes | memoryview]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()


def read_container(path: str | PathLike[str]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The tree and the arrays of a file whose digest is right.

    All of the file is read before anything of it is looked at, and no array is made before the
    sizes of all are known to fill the file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    tree : dict
    arrays : list of ndarray
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{str(path)!r} is no file.")
    content, name = path.read_bytes(), repr(str(path))
    first = FIRST.match(content)
    if first is None:
        raise ValueError(f"{name} is no model file of sklearn-zorb{_what_else(content)}.")
    start = first.end() + DIGITS + 1
    digest = _digest([first.group(), memoryview(content)[start:]])
    if content[first.end() : start] != digest + b"\n":
        raise ValueError(f"{name} is damaged: its digest is not that of its content.")
    if int(first.group(1)) != FORMAT:
        raise ValueError(
            f"{name} is of format {int(first.group(1))}, written by sklearn-zorb "
            f"{first.group(2).decode('ascii', 'replace')}; this version reads format {FORMAT}: "
            "load it with that version."
        )
    with refused(name):
        stop = content.index(b"\n", start)
        tree = json.loads(content[start:stop].decode("ascii"), parse_constant=_no_number)
        return tree, _arrays(tree.pop("arrays"), memoryview(content)[stop + 1 :])


def is_model_file(path: str | PathLike[str]) -> bool:
    """Whether a file begins as model files do."""
    with open(path, "rb") as file:
        return FIRST.match(file.readline(200)) is not None


def _what_else(content: bytes) -> str:
    if content.startswith(PICKLES):
        return ", but looks like a pickle, which can run code when it is read"
    return ""


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Within it any error is a ValueError that says that the file is not well-formed."""
    try:
        yield
    except (MemoryError, ImportError, NotTrusted):
        raise
    except Exception as error:  # what somebody made by hand can raise anything
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{name} is no proper model file: {told[:200]}") from error


class NotTrusted(ValueError):
    """A file asks for types that were not named."""


def _arrays(described: Any, content: memoryview) -> list[np.ndarray]:
    """Arrays of the bytes behind the JSON, none of which is made before all sizes are right."""
    checked, start = [], 0
    # that of an array without bytes is bounded too, as one without columns would have rows for free
    longest = max(len(content), EMPTY)
    for text, shape, order in described:
        if not DTYPE.fullmatch(text) or order not in ("C", "F"):
            raise ValueError(f"an array of type {text!r} and order {order!r}")
        if len(shape) > MOST_AXES or not all(type(n) is int and 0 <= n <= longest for n in shape):
            raise ValueError("an array of an odd shape")
        dtype = np.dtype(text)
        stop = start + math.prod(shape) * dtype.itemsize
        if stop > len(content):
            raise ValueError("an array that ends behind the file")
        checked.append((dtype, shape, order, content[start:stop]))
        start = stop
    if start != len(content):
        raise ValueError(f"{len(content) - start} bytes that are of no array")
    return [_array(*one) for one in checked]


def _array(
    dtype: np.dtype[Any], shape: Sequence[int], order: Any, content: memoryview
) -> np.ndarray:
    if dtype.kind == "b" and np.frombuffer(content, np.uint8).max(initial=0) > 1:
        raise ValueError("truth values other than 0 and 1")
    if dtype.kind == "U":
        points = np.frombuffer(content, dtype.str[0] + "u4")
        if points.max(initial=0) > 0x10FFFF:
            raise ValueError("text that is no Unicode")
    return np.ndarray(tuple(shape), dtype, content, order=order).copy(order="K")
