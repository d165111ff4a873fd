"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def write_beside(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the place of another once all of it is written.

    It is written in the same folder and moved at the end, so that a full disk, an error or a
    killed process leaves the file that was there. Links are followed, permissions are kept. What
    is no file, such as a pipe, is written to as it is.

    Parameters
    ----------
    path : str or path-like

    Yields
    ------
    file : binary file
        To be written to.

    Raises
    ------
    OSError
        If the file cannot be written; what had been there is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_zorb.writing import write_beside
    >>> path = Path(tempfile.mkdtemp()) / "model"
    >>> path.write_bytes(b"old")
    3
    >>> try:
    ...     with write_beside(path) as file:
    ...         file.write(b"ne")
    ...         raise OSError("disk full")
    ... except OSError:
    ...     path.read_bytes()
    2
    b'old'
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        with open(target, "wb") as file:
            yield file
        return
    target = target.resolve()
    beside = target.parent / f".{uuid4().hex}.tmp"
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(
                file.fileno()
            )  # a file that is moved before its bytes are on the disk could end up empty
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
