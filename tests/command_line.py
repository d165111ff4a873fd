"""What command lines of the tests have in common."""

import csv
import io

SMALL = ("--network", "Dense[8] Tanh")  # fits at once


def read_csv(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows
