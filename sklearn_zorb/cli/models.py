"""Models: built from arguments, fitted, saved and loaded."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
from sklearn.base import is_classifier
from sklearn.exceptions import InconsistentVersionWarning

from .. import ZORBClassifier, ZORBRegressor, load, save
from ..estimators.layered import LayeredPredictor
from ..files.container import is_model_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..rows.schema import Column
    from .data import Data

_OWN_OPTIONS = {
    "layers": "the layers are --network TEXT",
    "random_state": "the seed is --seed NUMBER",
}
_SPATIAL = re.compile(r"\b(conv\w*|\w+pool2d)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Model:
    """An estimator and what it takes to feed it.

    Attributes
    ----------
    estimator : ZORBClassifier or ZORBRegressor
    target : str or None
        The name of the target column of the table it was fitted on; None for arrays.
    """

    estimator: Any
    target: str | None = None

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return "classification" if is_classifier(self.estimator) else "regression"

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a fitted model knows of the columns of its table; none for arrays."""
        return () if self.target is None else self.estimator.model_.schema.columns


def build_model(
    data: Data, network: str = "auto", seed: int = 0, params: Sequence[str] = ()
) -> Model:
    """A model that is not fitted yet.

    Parameters
    ----------
    data : Data
        With its task.
    network : str, default="auto"
        The layers.
    seed : int, default=0
    params : sequence of str
        More parameters of the estimator, as ``"relaxation=0.6"``.

    Returns
    -------
    Model
    """
    settings = {"layers": network, "random_state": seed, **_parse_params(params)}
    if _SPATIAL.search(network) and data.image_shape is not None:
        settings.setdefault("input_shape", data.image_shape)
    estimator = ZORBClassifier() if data.task == "classification" else ZORBRegressor()
    return Model(estimator.set_params(**settings), data.target)


def _parse_params(params: Sequence[str]) -> dict[str, Any]:
    """``["alpha=0.1", "readout=last"]`` as a dict; values are Python literals or words."""
    parsed = {}
    for text in params:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise ValueError(f"--param takes NAME=VALUE, got {text!r}")
        if name in _OWN_OPTIONS:
            raise ValueError(f"--param {name}: {_OWN_OPTIONS[name]}")
        try:
            parsed[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed[name] = value
    return parsed


def save_model(model: Model, path: str) -> None:
    """Write a file that `sklearn_zorb.load` reads as a dict.

    It has the estimator as ``model``, and the name of the target column as ``target``, None for
    arrays.

    Parameters
    ----------
    model : Model
    path : str
    """
    save({"model": model.estimator, "target": model.target}, path)


def load_model(path: str, trust: bool = False) -> Model:
    """Read a model that `save_model` or `sklearn_zorb.save` wrote.

    Parameters
    ----------
    path : str
    trust : bool, default=False
        Whether the file may be a pickle, which can run any code when it is read.

    Returns
    -------
    Model
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no file {path!r}")
    if is_model_file(path):
        content = load(path)
    elif trust:
        content = _unpickle(path)
    else:
        raise ValueError(
            f"{path!r} is no model file of sklearn-zorb, or its beginning is damaged. A pickle can "
            "run any code when it is read: --trust reads it, if you know where it comes from"
        )
    if not isinstance(content, dict):
        # saved in Python
        named = hasattr(content, "feature_names_in_")
        content = {"model": content, "target": "target" if named else None}
    model, target = content.get("model"), content.get("target")
    if not isinstance(model, LayeredPredictor):
        raise ValueError(
            f"{path!r} holds {type(model).__name__}, not an estimator of sklearn-zorb: fit the "
            "model again"
        )
    return Model(model, target)


def _unpickle(path: str) -> Any:
    """The content of a pickle; scikit-learn's warning of its version comes once for each part."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            content = joblib.load(path)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(f"{path!r} is no readable pickle: {_first_line(error)}") from error
    told = {}
    for warning in (item.message for item in caught):
        if isinstance(warning, InconsistentVersionWarning):
            found, here = warning.original_sklearn_version, warning.current_sklearn_version
            warning = (
                f"{path!r} was saved with scikit-learn {found}, this is {here}: its predictions "
                "may be wrong, fit the model again"
            )
        told[str(warning)] = warning
    for warning in told.values():
        warnings.warn(warning, stacklevel=3)
    return content


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
