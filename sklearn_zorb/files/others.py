"""Models of other packages within a model, which skops writes and reads."""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile

from .container import NotTrusted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

# scikit-learn's compiled code follows their numbers without a check, wherever these lead
UNCHECKED = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def dumped(objects: Sequence[object]) -> bytes:
    """The bytes of a list of objects.

    Parameters
    ----------
    objects : list of object

    Returns
    -------
    content : bytes
    """
    names = sorted({f"{type(one).__module__}.{type(one).__qualname__}" for one in objects})
    try:
        return _skops(names).dumps(objects)
    except ImportError:
        raise
    except Exception as error:  # skops has errors of many kinds
        raise ValueError(f"skops cannot save {', '.join(names)}: {error}") from error


def loaded(content: bytes, path: str | PathLike[str], trusted: Sequence[str]) -> list[Any]:
    """The objects of such bytes, where all their types may be made.

    Parameters
    ----------
    content : bytes
    path : str or path-like
        For messages.
    trusted : sequence of str

    Returns
    -------
    objects : list of object
    """
    skops, asked = _skops(["models of other packages"]), _types(content)
    unsafe = {*skops.get_untrusted_types(data=content), *asked.intersection(UNCHECKED)}
    untrusted = sorted(unsafe.difference(trusted))
    if untrusted:
        raise NotTrusted(
            f"{str(path)!r} holds types of other packages, which can run code or read what is not "
            f"theirs: {', '.join(untrusted)}. If you know where the file comes from, name them: "
            f"load(path, trusted={untrusted})."
        )
    return skops.loads(content, trusted=list(trusted))


def _types(content: bytes) -> set[str]:
    """Full names of all types in such bytes."""
    with ZipFile(io.BytesIO(content)) as archive:
        # what is not compressed is no larger than the file
        if any(entry.compress_type != ZIP_STORED for entry in archive.infolist()):
            raise ValueError("a compressed part, which skops does not write")
        left, names = [json.loads(archive.read("schema.json"))], set()
    while left:
        one = left.pop()
        if isinstance(one, dict):
            names.add(f"{one.get('__module__')}.{one.get('__class__')}")
            # this loader makes a tree, whatever class is named
            names.update(UNCHECKED[:1] if one.get("__loader__") == "TreeNode" else ())
            left += one.values()
        elif isinstance(one, list):
            left += one
    return names


def _skops(names: Sequence[str]) -> Any:
    try:
        return import_module("skops.io")
    except ImportError as error:
        raise ImportError(
            f"Files of models that hold {', '.join(names)} need skops, which is not installed: "
            'pip install "sklearn-zorb[files]" brings it.'
        ) from error
