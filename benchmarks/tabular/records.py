"""What was measured, one line for each fold, appended as it comes."""

import csv

KEY = ("table", "model", "seed", "fold", "max_rows")
VALUES = (
    "accuracy",
    "balanced_accuracy",
    "log_loss",
    "auc",
    "r2",
    "loo_score",
    "fit_s",
    "predict_s",
    "extra_mb",
)
FIELDS = (*KEY, *VALUES, "note")
# times and memory vary by more than these digits
DIGITS = {"fit_s": 3, "predict_s": 3, "extra_mb": 3}


class Records:
    """A CSV file of folds, keyed by table, model, seed, fold and row limit.

    Parameters
    ----------
    path : path-like
        Made with its header where it is missing. A last line without an end, which an
        interrupted run leaves, is dropped.
    """

    def __init__(self, path):
        self.path = path
        self.rows = []
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write([])
            return
        text = path.read_text()
        whole = text[: text.rfind("\n") + 1]
        self.rows = [_typed(row) for row in csv.DictReader(whole.splitlines())]
        if whole != text:
            self._write(self.rows)

    def keys(self):
        """The folds that are there."""
        return {_key(row) for row in self.rows}

    def add(self, **row):
        """Append one fold to the file; None and nan are left empty."""
        line = {name: _text(name, row.get(name)) for name in FIELDS}
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, FIELDS, lineterminator="\n").writerow(line)
        self.rows.append(_typed(line))

    def drop(self, keys):
        """Forget some folds."""
        keys = set(keys)
        self.rows = [row for row in self.rows if _key(row) not in keys]
        self._write(self.rows)

    def _write(self, rows):
        """The whole file anew, through a second one, so that it is never half there."""
        draft = self.path.with_name(self.path.name + ".tmp")
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows({n: _text(n, row[n]) for n in FIELDS} for row in rows)
        draft.replace(self.path)


def _key(row):
    return tuple(row[name] for name in KEY)


def _text(name, value):
    if value is None or value != value:
        return ""
    return f"{value:.{DIGITS.get(name, 5)}g}" if isinstance(value, float) else str(value)


def _typed(line):
    """Text of one line as numbers; None where nothing was measured."""
    row = dict(line)
    for name in ("seed", "fold"):
        row[name] = int(line[name])
    row["max_rows"] = int(line["max_rows"]) if line["max_rows"] else None
    for name in VALUES:
        row[name] = float(line[name]) if line[name] else None
    return row
