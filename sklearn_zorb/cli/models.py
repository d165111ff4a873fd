"""Models: built from arguments, fitted, saved and loaded."""

import ast
import re
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import joblib
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from .. import ZORBClassifier, ZORBRegressor
from .frames import Schema, prepare_table

FORMAT = "sklearn-zorb model"
FORMAT_VERSION = 1
_OWN_OPTIONS = {
    "layers": "the layers are --network TEXT",
    "random_state": "the seed is --seed NUMBER",
}
_SPATIAL = re.compile(r"\b(conv\w*|\w+pool2d)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Model:
    """A pipeline and what it takes to feed it.

    Attributes
    ----------
    pipeline : Pipeline
        Ends in the step "network"; begins with "prepare" where it was fitted on a table.
    task : {"classification", "regression"}
    schema : Schema or None
        The columns of the table; None for arrays.
    """

    pipeline: Any
    task: str
    schema: Schema | None = None

    @property
    def network(self):
        """The ZORB estimator."""
        return self.pipeline[-1]


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
    steps = [("network", estimator.set_params(**settings))]
    if data.schema is not None:
        steps.insert(0, ("prepare", prepare_table(data.schema)))
    return Model(Pipeline(steps), data.task, data.schema)


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

    The file is a dict: ``format``, ``version``, ``model`` (the pipeline), ``task``,
    ``columns``, ``target``, ``target_kind``; the last three are None for arrays.

    Parameters
    ----------
    model : Model
    path : str
    """
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "model": model.pipeline,
        "task": model.task,
        **asdict(model.schema or Schema(None, None, None)),
    }
    joblib.dump(content, path)


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
        columns, target = content["columns"], content["target"]
        schema = None if columns is None else Schema(columns, target, content["target_kind"])
        return Model(content["model"], content["task"], schema)
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
