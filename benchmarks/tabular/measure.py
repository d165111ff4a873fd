"""One fold of one table: scores, seconds and memory of one model."""

import ctypes
import gc
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import KFold, StratifiedKFold

N_FOLDS = 5
# no probability counts as less than this, so that one row cannot decide a mean log-loss
LEAST_PROBABILITY = 1e-7


def folds(table, seed):
    """Training and test rows of each fold; stratified for classes."""
    kind = StratifiedKFold if table.task == "classification" else KFold
    return list(kind(N_FOLDS, shuffle=True, random_state=seed).split(table.X, table.y))


def measure(model, table, train, test, clock=process_time):
    """Fit on the rows `train`; what the rows `test` and the clock say.

    Of one thread the processor's seconds are taken, which other work on the machine changes
    little.
    """
    X, y = table.X.iloc[train], table.y[train]
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        # libraries chat, and pass on what they deprecate
        warnings.simplefilter("ignore")
        before = resident(reset=True)
        started = clock()
        model.fit(X, y)
        fit_s = clock() - started
        extra = resident(peak=True) - before
        started = clock()
        scores = score(model, table.task, table.X.iloc[test], table.y[test])
    predict_s = clock() - started
    loo = getattr(model[-1], "loo_score_", None)
    return {**scores, "loo_score": loo, "fit_s": fit_s, "predict_s": predict_s, "extra_mb": extra}


def score(model, task, X, y):
    """Scores on test rows."""
    if task == "regression":
        return {"r2": r2_score(y, model.predict(X))}
    labels = np.asarray(model.predict(X)).ravel().astype(int)
    p = np.clip(np.asarray(model.predict_proba(X), dtype=float), LEAST_PROBABILITY, None)
    p /= p.sum(axis=1, keepdims=True)
    classes = np.arange(p.shape[1])
    binary = len(classes) == 2
    return {
        "accuracy": accuracy_score(y, labels),
        "balanced_accuracy": balanced_accuracy_score(y, labels),
        "log_loss": log_loss(y, p, labels=classes),
        "auc": roc_auc_score(y, p[:, 1] if binary else p, multi_class="ovr", labels=classes),
    }


def resident(peak=False, reset=False):
    """Resident memory of this process in MB, now or at its peak since the last reset.

    Linux only, else nan. Freed memory is handed back first, so that what an earlier model
    left does not hide what this one takes.
    """
    if not sys.platform.startswith("linux"):
        return float("nan")
    if reset:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["VmHWM" if peak else "VmRSS"].split()[0]) / 1024
