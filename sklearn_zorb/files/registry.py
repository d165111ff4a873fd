"""The classes that a model file may name; what their objects hold is plain, or of these classes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .. import decoders, estimators, layers, trainers
from ..decoders.numbers import Judged
from ..estimators.model import FittedModel
from ..estimators.partial import Sums
from ..estimators.transformer import Features
from ..layers.models.cross_fit import Columns, Probabilities
from ..layers.models.ensembles import Ensemble
from ..layers.models.estimator import Transformed
from ..layers.models.foreign import Mean, Window
from ..layers.models.nodes import Nodes
from ..layers.models.one_hot import JoinedCategories, OfJoined
from ..layers.models.typed import TypedColumns
from ..layers.split_readout import SplitReadout
from ..linalg import Gram
from ..network import Network
from ..rows.constant import ConstantColumns
from ..rows.schema import Column, Schema

if TYPE_CHECKING:
    from types import ModuleType


def _parts(module: ModuleType) -> list[type[Any]]:
    """Public classes of a module whose objects are estimators in the sense of scikit-learn."""
    public = (getattr(module, name) for name in module.__all__)
    return [one for one in public if isinstance(one, type) and issubclass(one, BaseEstimator)]


CLASSES = {
    one.__name__: one
    for one in (
        *_parts(estimators), Features, Pipeline,
        *_parts(layers), SplitReadout, *_parts(trainers),
        *(getattr(decoders, name) for name in decoders.__all__), Judged,
        FittedModel, Network, Sums, Gram, ConstantColumns, Schema, Column,
        Ensemble, Nodes, Mean, Window, Columns, Probabilities, Transformed,
        JoinedCategories, OfJoined, TypedColumns,
    )
}  # fmt: skip
# what skops may make for a model of this package: nothing of it runs code of the file
TRUSTED_TYPES = sorted(
    f"{one.__module__}.{one.__qualname__}" for one in {*CLASSES.values(), np.dtype} - {Pipeline}
)
# of this machine or process, not of the model
DROPPED = {"_skl_callbacks", "memory"}


def is_known(kind: type[Any]) -> bool:
    """Whether a model file may name a class."""
    return CLASSES.get(kind.__name__) is kind


def known(name: str) -> type[Any]:
    """The class of a name; ValueError for any other than those of `CLASSES`."""
    if name not in CLASSES:
        raise ValueError(f"it asks for {name!r}, which is no class of models of this version")
    return CLASSES[name]


def state_of(item: Any) -> dict[str, Any]:
    """What an object of a known class holds, by name."""
    if is_dataclass(item):
        return {field.name: getattr(item, field.name) for field in fields(item)}
    getter = type(item).__dict__.get("__getstate__")
    state = vars(item) if getter is None else getter(item)
    if isinstance(item, Pipeline):
        return {name: value for name, value in state.items() if name not in DROPPED}
    return {name: value for name, value in state.items() if name != "_skl_callbacks"}


def made(name: str, state: dict[str, Any]) -> Any:
    """An object of a known class with such a state; checks of the class, as of `Nodes`, run."""
    kind = known(name)
    if is_dataclass(kind):
        return kind(**state)
    item = object.__new__(kind)
    if issubclass(kind, BaseEstimator):
        # parameters that versions before this one did not have
        state = {**_defaults(kind), **state}
    vars(item).update(state)
    return item


def _defaults(kind: type[Any]) -> dict[str, Any]:
    parameters = signature(kind).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not Parameter.empty}


def optimizer_state(name: str) -> type[Any]:
    """A class of optax that holds states of optimisers, by its public name."""
    import optax

    kind = getattr(optax, name, None) or getattr(optax.schedules, name, None)
    if not (isinstance(kind, type) and issubclass(kind, tuple) and name.endswith("State")):
        raise ValueError(f"{name!r} is no state of optax")
    return kind
