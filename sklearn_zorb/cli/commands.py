"""The sub-commands. Each takes the parsed arguments and returns (data for JSON, text)."""

from __future__ import annotations

import csv
import io
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets import list_datasets
from ..estimators.summary import count_parameters
from ..writing import write_beside
from .data import hold_out, labelled, read_data, subsample, take
from .demo import demo
from .models import build_model, load_model, save_model
from .notes import note_new_levels
from .paths import check_outputs
from .progress import progress
from .report import write_report
from .scores import check_classes, format_scores, format_table, score, shuffled_folds
from .weights import load_weights, save_weights

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from .data import Data
    from .models import Model

__all__ = ["datasets", "demo", "evaluate", "fit", "predict", "report", "summary"]


def fit(args: Namespace) -> tuple[Any, str]:
    """``zorb fit``: fit, score on held-out rows, save."""
    check_outputs({"--save": args.save, "--save-weights": args.save_weights}, {"DATA": args.data})
    data = hold_out(_training_data(args), args.test_size, args.seed)
    model, seconds = _fit(args, data)
    result = {
        "data": args.data,
        "task": data.task,
        "n_train": len(data.X),
        "n_test": 0 if data.y_test is None else len(data.X_test),
        "n_features": int(data.X.shape[1]),
        "network": args.network,
        "fit_seconds": round(seconds, 4),
        "train": score(model, data.X, data.y),
        "test": None if data.y_test is None else score(model, data.X_test, data.y_test),
        "saved": args.save,
        "saved_weights": args.save_weights,
    }
    if args.save:
        save_model(model, args.save)
    if args.save_weights:
        save_weights(model.estimator, args.save_weights)
    return result, _describe_fit(result)


def _describe_fit(result: dict[str, Any]) -> str:
    lines = [
        f"data     {result['data']}: {result['n_train']} rows to fit, {result['n_test']} to "
        f"test, {result['n_features']} features",
        f"task     {result['task']}",
        f"network  {result['network']}, fitted in {result['fit_seconds']:.2f} s",
        f"train    {format_scores(result['train'])}",
    ]
    if result["test"]:
        lines.append(f"test     {format_scores(result['test'])}")
    lines += [f"saved    {result[key]}" for key in ("saved", "saved_weights") if result[key]]
    return "\n".join(lines)


def predict(args: Namespace) -> tuple[Any, str]:
    """``zorb predict``: predictions of a saved model, as CSV."""
    inputs = {"DATA": args.data, "--load": args.load, "--load-weights": args.load_weights}
    check_outputs({"--output": args.output}, inputs)
    model = _saved_model(args)
    if args.proba and model.task == "regression":
        raise ValueError("--proba is for classification; this model predicts numbers")
    data = _data_for(model, args)
    X = data.X if data.X_test is None else data.X_test
    with progress("Predicting"):
        predicted = model.estimator.predict(X)
        columns = _columns("prediction", predicted)
        if args.proba:
            names = [str(name) for name in model.estimator.classes_]
            columns |= _columns("probability", model.estimator.predict_proba(X), names)
    text = _to_csv(columns)
    if args.output:
        with write_beside(args.output) as file:
            file.write(text.encode())
        text = f"{len(X)} predictions written to {args.output}"
    lists = {name: values.tolist() for name, values in columns.items()}
    return {"n_rows": len(X), "output": args.output, **lists}, text.rstrip("\n")


def _columns(
    name: str, values: np.ndarray, suffixes: Iterable[Any] | None = None
) -> dict[str, np.ndarray]:
    """The columns of an array by name."""
    if values.ndim == 1:
        return {name: values}
    suffixes = range(values.shape[1]) if suffixes is None else suffixes
    return {f"{name}_{s}": column for s, column in zip(suffixes, values.T, strict=True)}


def _to_csv(columns: dict[str, np.ndarray]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    return text.getvalue()


def evaluate(args: Namespace) -> tuple[Any, str]:
    """``zorb evaluate``: score a saved model, or cross-validate a new one."""
    _check_model_options(args)
    if not args.load:
        return _cross_validate(args)
    model = _saved_model(args)
    data = labelled(_data_for(model, args), model.task)
    data = hold_out(data, args.test_size, args.seed)
    with progress("Scoring"):
        X, y = (data.X, data.y) if data.y_test is None else (data.X_test, data.y_test)
        check_classes(model, y)
        scores = score(model, X, y)
    result = {"data": args.data, "task": model.task, "n_rows": len(X), "scores": scores}
    return result, f"{format_scores(scores)} ({len(X)} rows)"


def _cross_validate(args: Namespace) -> tuple[Any, str]:
    data = _training_data(args)
    folds = shuffled_folds(data.task, data.y, args.folds, args.seed)
    scores = []
    with progress("Cross-validation", args.folds) as advance:
        for train, test in folds.split(data.X, data.y):
            model = _build(args, data)
            model.estimator.fit(take(data.X, train), data.y[train])
            scores.append(score(model, take(data.X, test), data.y[test]))
            advance()
    common = [name for name in scores[0] if all(name in fold for fold in scores)]
    folded = {name: np.array([fold[name] for fold in scores]) for name in common}
    result = {
        "data": args.data,
        "task": data.task,
        "n_rows": len(data.X),
        "folds": args.folds,
        "scores": {name: values.tolist() for name, values in folded.items()},
        "mean": {name: float(values.mean()) for name, values in folded.items()},
        "std": {name: float(values.std()) for name, values in folded.items()},
    }
    text = ", ".join(
        f"{name.replace('_', ' ')} {values.mean():.4f} +- {values.std():.4f}"
        for name, values in folded.items()
    )
    return result, f"{text} ({args.folds} folds of {len(data.X)} rows)"


def summary(args: Namespace) -> tuple[Any, str]:
    """``zorb summary``: the layers of a saved model, or of one fitted to DATA."""
    _check_model_options(args)
    if bool(args.load) == bool(args.data):
        raise ValueError("summary takes DATA or --load MODEL, one of the two")
    model = _saved_model(args) if args.load else _fit(args, _training_data(args))[0]
    lines: list[str] = []
    model.estimator.summary(print_fn=lines.append)
    layers = [
        {"name": name, "layer": repr(layer), "n_params": count_parameters(params)}
        for (name, layer), params in zip(
            model.estimator.layers_, model.estimator.params_, strict=True
        )
    ]
    return {"task": model.task, "layers": layers}, "\n".join(str(line) for line in lines)


def report(args: Namespace) -> tuple[Any, str]:
    """``zorb report``: one page on how well a saved model predicts a table."""
    check_outputs({"--output": args.output}, {"DATA": args.data, "MODEL": args.load})
    model = load_model(args.load, args.trust)
    data = labelled(_data_for(model, args), model.task)
    with progress("Report"):
        result = write_report(args, data, model)
    return result, f"report of {result['n_rows']} rows written to {args.output}"


def datasets(args: Namespace) -> tuple[Any, str]:
    """``zorb datasets``: names of data sets, where they come from, and which are here."""
    infos = list_datasets()
    header = ["name", "task", "here", "source"]
    rows = [[i.name, i.task or "?", "yes" if i.available else "no", i.source] for i in infos]
    note = (
        "Files are looked for in the directory that SKLEARN_ZORB_DATA names "
        f"(now: {os.environ.get('SKLEARN_ZORB_DATA') or 'not set'})."
    )
    text = f"{format_table(header, rows, '<<<<')}\n\n{note}"
    return [info._asdict() for info in infos], text


def _check_model_options(args: Namespace) -> None:
    """Refuse options of a new model beside a loaded one."""
    if args.load_weights and not args.load:
        raise ValueError("--load-weights replaces weights of a model: give --load MODEL too")
    if args.load and (args.network != "auto" or args.param or args.task != "auto"):
        raise ValueError("--network, --param and --task are fixed in a model that --load reads")


def _training_data(args: Namespace) -> Data:
    data = read_data(args.data, target=args.target, seed=args.seed, task=args.task)
    return subsample(labelled(data, args.task), args.samples, args.seed)


def _data_for(model: Model, args: Namespace) -> Data:
    """Data with the columns that a model was fitted on."""
    data = read_data(args.data, target=args.target, seed=args.seed, model=model)
    data = subsample(data, args.samples, args.seed)
    if model.columns:
        note_new_levels(model, data.X)
    return data


def _build(args: Namespace, data: Data) -> Model:
    return build_model(data, args.network, args.seed, args.param)


def _fit(args: Namespace, data: Data) -> tuple[Model, float]:
    """A fitted model and the seconds it took."""
    model = _build(args, data)
    with progress(f"Fitting {len(data.X)} rows"):
        start = time.perf_counter()
        model.estimator.fit(data.X, data.y)
        return model, time.perf_counter() - start


def _saved_model(args: Namespace) -> Model:
    model = load_model(args.load, args.trust)
    if args.load_weights:
        load_weights(model.estimator, args.load_weights)
    return model
