"""What command lines of the tests have in common."""

import csv
import io

from sklearn_zorb import load

SMALL = ("--network", "Dense[8] Tanh")  # fits at once


def read_csv(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def saved(path="m"):
    """The estimator of a model file."""
    return load(path)["model"]
