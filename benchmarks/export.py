"""ONNX sessions of the default beside its own predictions: differences, bytes, and times."""

import argparse
import statistics
from time import process_time

import numpy as np
import onnxruntime

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.onnx import onnx_inputs, to_onnx

from .common import note, quiet, save, saved, show
from .tabular.tables import load, table_names

ROWS, LONE_ROWS = 1500, 30


def main(arguments=()):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--tables", nargs="+", default=table_names(), metavar="TABLE")
    options = parser.parse_args(list(arguments))
    quiet()
    rows = saved("export", "table", "inputs")
    for name in options.tables:
        note(name)
        table = load(name, max_rows=2 * ROWS)
        order = np.random.default_rng(0).permutation(len(table.y))
        table = table._replace(X=table.X.iloc[order], y=table.y[order])
        forms = {"frame": table.X}
        if not len(table.X.select_dtypes("category").columns):
            forms["float32"] = table.X.to_numpy(np.float32)
        for form, X in forms.items():
            rows[name, form] = {"table": name, "inputs": form, **measured(table, X)}
    rows = sorted(rows.values(), key=lambda row: (row["table"], row["inputs"]))
    save("export", rows)
    show(rows)


def measured(table, X):
    """Fit to half of the rows; compare all of them, of which the others are new."""
    classes = table.task == "classification"
    model = (ZORBClassifier if classes else ZORBRegressor)(random_state=0)
    part = slice(len(X) // 2)
    model.fit(X.iloc[part] if hasattr(X, "iloc") else X[part], table.y[part])
    content = to_onnx(model, X).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options)
    found = session.run(None, onnx_inputs(session, X))
    lone = [X.iloc[[i]] if hasattr(X, "iloc") else X[[i]] for i in range(LONE_ROWS)]
    lone_inputs = [onnx_inputs(session, row) for row in lone]
    return {
        "difference": float(differences(model, X, found, classes)),
        "other labels": int((found[0] != model.predict(X)).sum()) if classes else 0,
        "model MB": len(content) / 1e6,
        "one row ms": milliseconds(model.predict, lone),
        "its session ms": milliseconds(lambda row: session.run(None, row), lone_inputs),
    }


def differences(model, X, found, classes):
    """The largest one: of probabilities, or of numbers in units of their deviation."""
    if classes:
        return abs(found[1] - model.predict_proba(X)).max()
    expected = model.predict(X)
    return abs(found[0][:, 0] - expected).max() / expected.std()


def milliseconds(predict, rows):
    """Median time of the processor for a row."""
    seconds = []
    for row in rows:
        started = process_time()
        predict(row)
        seconds.append(process_time() - started)
    return 1000 * statistics.median(seconds)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
