"""Models: built from arguments, fitted, saved and loaded."""

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Any

import joblib
from sklearn.base import is_classifier
from sklearn.exceptions import InconsistentVersionWarning

from .. import ZORBClassifier, ZORBRegressor
from ..writing import write_beside

FORMAT = "sklearn-zorb model"
FORMAT_VERSION = 2
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
    def task(self):
        """Either "classification" or "regression"."""
        return "classification" if is_classifier(self.estimator) else "regression"

    @property
    def columns(self):
        """What a fitted model knows of the columns of its table; none for arrays."""
        return () if self.target is None else self.estimator.model_.schema.columns


def build_model(data, network="auto", seed=0, params=()):
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


def _parse_params(params):
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


def save_model(model, path):
    """Write a model with joblib.

    The file is a dict: ``format``, ``version``, ``model`` (the estimator) and ``target``, the
    name of the target column, None for arrays.

    Parameters
    ----------
    model : Model
    path : str
    """
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "model": model.estimator,
        "target": model.target,
    }
    with write_beside(path) as file:
        joblib.dump(content, file)


def load_model(path):
    """Read a model that `save_model` wrote.

    The file is a pickle, which can run any code when it is read: load only files that you
    trust.

    Parameters
    ----------
    path : str

    Returns
    -------
    Model
    """
    try:
        content = _unpickle(path)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path!r}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(f"{path!r} is not a readable model file: {_first_line(error)}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path!r} is not a model file of sklearn-zorb")
    if content.get("version") != FORMAT_VERSION:
        raise ValueError(
            f"{path!r} has version {content.get('version')} of the model format, this "
            f"release reads version {FORMAT_VERSION}: fit the model again"
        )
    try:
        return Model(content["model"], content["target"])
    except KeyError as error:
        raise ValueError(f"{path!r} is a damaged model file: it lacks {error}") from error


def _unpickle(path):
    """The content of a file; scikit-learn's warning of its version comes once for each part."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = joblib.load(path)
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


def _first_line(error):
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
