"""Paths that are written to."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path


def check_outputs(outputs: dict[str, str | None], inputs: dict[str, str | None]) -> None:
    """Refuse outputs that cannot be written, or that would replace an input or each other.

    Parameters
    ----------
    outputs, inputs : dict of str to (str or None)
        Paths by option, checked before any work is done. An input that is no file, such as
        the name of a data set, is fine.
    """
    written = {option: path for option, path in outputs.items() if path is not None}
    for path in written.values():
        check_writable(path)
    read = {option: path for option, path in inputs.items() if path and Path(path).is_file()}
    for (option, path), (other, used) in combinations((written | read).items(), 2):
        if option in written and _same_file(path, used):
            raise ValueError(f"{option} and {other} name one file, {path!r}: change {option}")


def check_writable(path: str) -> None:
    """Refuse a path that cannot be written before any work is done.

    Parameters
    ----------
    path : str
    """
    target = Path(path).absolute()
    if target.is_dir():
        raise ValueError(f"cannot write {path!r}: it is a folder")
    if not target.parent.is_dir():
        raise ValueError(f"cannot write {path!r}: its folder does not exist")
    # a file is written beside the old one; what is no file, such as a pipe, in its place
    places = {target.parent} if not target.exists() or target.is_file() else set()
    if not all(os.access(place, os.W_OK) for place in places | {target} if place.exists()):
        raise ValueError(f"cannot write {path!r}: no permission")


def _same_file(path: str, other: str) -> bool:
    one, two = Path(path), Path(other)
    if one.exists() and two.exists():
        return one.samefile(two)  # links too
    return one.resolve() == two.resolve()
