"""Paths that are written to."""

from pathlib import Path

from ._errors import InputError


def check_writable(path):
    """Refuse a path that cannot be written before any work is done.

    Parameters
    ----------
    path : str or None
        None is fine.
    """
    if path is None:
        return
    if Path(path).is_dir():
        raise InputError(f"cannot write {path!r}: it is a folder")
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"cannot write {path!r}: its folder does not exist")
