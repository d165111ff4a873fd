"""Arguments of the command ``zorb``, and what becomes of errors.

Slow imports stand in the functions that need them, so that help is shown at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from .. import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DESCRIPTION = """\
Train networks without backpropagation: each layer is solved in closed form.

DATA is a CSV, Parquet or NPZ file (arrays X, y or x_train, y_train, x_test, y_test),
or the name of a data set that `zorb datasets` lists."""

_EPILOG = """\
exit codes: 0 done, 1 failed while running, 2 bad arguments or bad input

Saved models and weights are plain data and run no code when they are loaded. A pickle can, and is
read with --trust only."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


class _Once(argparse.Action):
    """Refuse a second value, which would silently take the place of the first."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest)
        if given is not None:
            raise argparse.ArgumentError(self, f"given twice, as {given!r} and {values!r}")
        setattr(namespace, self.dest, values)


def _checked(
    convert: Callable[[str], Any], accept: Callable[[Any], bool], expected: str
) -> Callable[[str], Any]:
    """An argparse type: converts, and says what it expected."""

    def check(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return check


_positive = _checked(int, lambda n: n >= 1, "a whole number of at least 1")
_folds = _checked(int, lambda n: n >= 2, "a whole number of at least 2")
_seed = _checked(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4294967295")
_fraction = _checked(float, lambda x: 0 <= x < 1, "a share from 0 up to 1")


# arguments that several commands share
_OPTIONS: dict[str, dict[str, Any]] = {
    "data": {
        "metavar": "DATA",
        "help": "a CSV, Parquet or NPZ file, or a name that `zorb datasets` lists",
    },
    "--target": {
        "action": _Once,
        "metavar": "COLUMN",
        "help": "the target column of a table (default: target, else the last one)",
    },
    "--samples": {"type": _positive, "metavar": "N", "help": "take N random rows only"},
    "--seed": {"type": _seed, "default": 0, "help": "random seed (default: %(default)s)"},
    "--task": {
        "choices": ("auto", "classification", "regression"),
        "default": "auto",
        "help": "auto takes text and few distinct whole numbers for classes",
    },
    "--network": {
        "metavar": "TEXT",
        "default": "auto",
        "help": 'fast, auto, best, or layers, as "Dense[64] Tanh Dense[32]"',
    },
    "--param": {
        "action": "append",
        "default": [],
        "metavar": "NAME=VALUE",
        "help": "a parameter of the estimator, as relaxation=0.6; may be repeated",
    },
    "--load": {"metavar": "MODEL", "help": "a saved model"},
    "--trust": {
        "action": "store_true",
        "help": "MODEL may be a pickle, which can run any code when it is loaded",
    },
    "--load-weights": {"metavar": "FILE.npz", "help": "replace the weights of the loaded model"},
    "--test-size": {
        "type": _fraction,
        "metavar": "SHARE",
        "help": "share of the rows held out; 0 is none (default: %(default)s). Data that come "
        "with a test part keep it",
    },
}
_TRAINING = ("--target", "--samples", "--seed", "--task", "--network", "--param")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands.

    Returns
    -------
    argparse.ArgumentParser
    """
    parser = _Parser(
        prog="zorb",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sklearn-zorb {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    fit = _command(commands, "fit", "fit a model and score it on held-out rows")
    _add(fit, "data", *_TRAINING)
    _add(fit, "--test-size", default=0.25)
    fit.add_argument("--save", metavar="MODEL", help="save the fitted model")
    fit.add_argument("--save-weights", metavar="FILE.npz", help="save the weights of the layers")

    predict = _command(commands, "predict", "predict with a saved model")
    _add(predict, "data")
    _add(predict, "--load", required=True)
    _add(predict, "--load-weights", "--trust")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class")
    predict.add_argument("--output", metavar="FILE.csv", help="where to write (default: stdout)")
    predict.set_defaults(target=None, samples=None, seed=0)

    text = "score a saved model, or cross-validate a new one without --load"
    evaluate = _command(commands, "evaluate", text)
    _add(evaluate, "data", *_TRAINING, "--load", "--load-weights", "--trust")
    text = "of cross-validation (default: %(default)s)"
    evaluate.add_argument("--folds", type=_folds, default=5, help=text)
    _add(evaluate, "--test-size", default=0.0)

    text = "print the layers of a saved model, or of one fitted to DATA"
    summary = _command(commands, "summary", text)
    _add(summary, "data", nargs="?")
    _add(summary, *_TRAINING, "--load", "--load-weights", "--trust")

    text = "write one HTML page on how well a saved model predicts DATA"
    report = _command(commands, "report", text)
    report.add_argument("load", metavar="MODEL", help="a saved model")
    _add(report, "data", "--target", "--samples", "--seed", "--trust")
    text = "the page (default: %(default)s)"
    report.add_argument("--output", metavar="FILE.html", default="zorb_report.html", help=text)

    text = "compare ZORB with other methods by cross-validation, in a minute"
    demo = _command(commands, "demo", text)
    demo.add_argument("--output", metavar="FILE.png", default="zorb_demo.png", help="the plot")
    demo.add_argument("--no-plot", action="store_true", help="do without matplotlib")
    _add(demo, "--seed")
    names = ["breast_cancer", "wine", "diabetes", "flats"]
    text = f"data sets to use (default: {' '.join(names)})"
    demo.add_argument("--datasets", nargs="+", metavar="NAME", default=names, help=text)

    _command(commands, "datasets", "list the data sets known by name")
    return parser


def _command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _add(parser: argparse.ArgumentParser, *names: str, **changes: Any) -> None:
    for name in names:
        parser.add_argument(name, **_OPTIONS[name], **changes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed while running, 2 bad arguments or bad input.

    Examples
    --------
    >>> from sklearn_zorb.cli import main
    >>> main(["fit", "no_such_file.csv"])  # the message goes to standard error
    2
    """
    debug = False
    try:
        args = build_parser().parse_args(argv)
        debug = getattr(args, "debug", False)
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(args)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the program that reads our output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        return _fail(_describe(error), _exit_code(error))


def _run(args: argparse.Namespace) -> int:
    """Dispatch to `commands` and print what it returns; the rest goes to standard error."""
    if args.command is None:
        build_parser().print_help()
        return 0
    with contextlib.redirect_stdout(sys.stderr):  # the lines of verbose=1
        from . import commands

        result, text = getattr(commands, args.command)(args)
    print(json.dumps(_finite(result), allow_nan=False) if args.json else text, flush=True)
    return 0


def _finite(result: Any) -> Any:
    """The result with None for numbers that are not finite: JSON knows none."""
    return json.loads(json.dumps(result), parse_constant=lambda constant: None)


def _exit_code(error: Exception) -> int:
    """2 where the user can put it right, 1 where the work failed."""
    from numpy.linalg import LinAlgError

    bad_input = isinstance(error, ValueError | TypeError | FileNotFoundError)
    return 2 if bad_input and not isinstance(error, LinAlgError) else 1


def _describe(error: Exception) -> str:
    """The message of an error on one line, but for the caret under a fault in layer text."""
    from ..layers import LayerSyntaxError

    message = str(error).strip()
    if isinstance(error, LayerSyntaxError):
        return message
    if not isinstance(error, ValueError | TypeError | OSError | ImportError | RuntimeError):
        message = f"{type(error).__name__}: {message}"
    return " ".join(message.split())


def _fail(message: str, code: int) -> int:
    print(f"zorb: error: {message}", file=sys.stderr)
    return code


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"zorb: warning: {' '.join(str(message).split())}", file=sys.stderr)
