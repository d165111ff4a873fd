"""How many small faults in the code of least squares and of rows the tests find.

``python .ci/mutate.py --count 200 --seed 0`` draws places in the syntax trees, changes one at a
time in a copy of the package, and runs the tests that reach its line, the quickest first. They run
in a forked process, for which the heavy imports are there already. Tests of JAX are left out, and
with them lines that only JAX reaches: compilers would take hours.
"""

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from difflib import unified_diff
from functools import partial
from importlib import import_module
from pathlib import Path

from coverage import Coverage, CoverageData

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("sklearn_zorb/linalg", "sklearn_zorb/rows")
TESTS = ("tests/linalg", "tests/rows", "tests/properties/test_rows.py",
         "tests/properties/test_solvers.py", "--ignore=tests/linalg/test_backends.py",
         "-k", "not jax")  # fmt: skip
HEAVY = ("pytest", "hypothesis.extra.numpy", "pandas", "polars", "pyarrow", "scipy.sparse", "jax",
         "sklearn.ensemble", "sklearn.linear_model", "narwhals")  # fmt: skip
# seconds of the processor that the tests of one change may take beside twice what they took
PATIENCE = 20
SWAPPED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.USub: ast.UAdd,
    ast.RShift: ast.LShift, ast.LShift: ast.RShift,
}  # fmt: skip


def changes(node):
    """Pairs of a place and a function that changes it, each in another way."""
    if isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign | ast.UnaryOp):
        if (other := SWAPPED.get(type(node.op))) is not None:
            yield node, lambda: setattr(node, "op", other())
        elif isinstance(node, ast.UnaryOp):  # not, ~
            yield node, lambda: setattr(node, "operand", ast.UnaryOp(node.op, node.operand))
    elif isinstance(node, ast.Compare):
        yield node, lambda: node.ops.__setitem__(0, SWAPPED[type(node.ops[0])]())
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = node.value
        other = not value if isinstance(value, bool) else value + 1
        other = other if isinstance(value, int) else 2 * value or 1.0
        yield node, lambda: setattr(node, "value", other)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test, lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None:
        yield node, lambda: setattr(node, "value", None)
    for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
        for i, one in enumerate(block if isinstance(block, list) else ()):
            if _removable(one):
                yield one, lambda block=block, i=i: block.__setitem__(i, ast.Pass())


def _removable(statement):
    """Whether what is left without it can be run at all."""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return not isinstance(statement.targets[0], ast.Name | ast.Tuple)
    return isinstance(statement, ast.AugAssign | ast.Raise)


def places(path, reached):
    """(path, number of the node, number of the change, tests) of all that can be changed."""
    for i, node in enumerate(ast.walk(ast.parse(path.read_text()))):
        for j, (place, _) in enumerate(changes(node)):
            lines = range(place.lineno, place.end_lineno + 1)
            if tests := set().union(*(reached.get(line, ()) for line in lines)):
                yield path, i, j, tests


def changed(source, i, j):
    """The changed source, the number of the line, and how it was and is, as lines of a diff."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[i]
    place, change = list(changes(node))[j]
    before = ast.unparse(node).splitlines()
    change()
    ast.fix_missing_locations(tree)
    told = unified_diff(before, ast.unparse(node).splitlines(), n=0, lineterm="")
    return ast.unparse(tree), place.lineno, list(told)[3:]


class Chosen:
    """A plugin of pytest: only some of the tests, the quickest first."""

    def __init__(self, seconds):
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items):
        timed = [item for item in items if item.nodeid in self.seconds]
        items[:] = sorted(timed, key=lambda item: self.seconds[item.nodeid])


class Measured:
    """A plugin of pytest: how long each test takes, and which lines it runs."""

    def __init__(self):
        self.took, self.coverage = {}, Coverage(source_pkgs=["sklearn_zorb"], config_file=False)
        self.coverage.start()

    def pytest_runtest_logstart(self, nodeid):
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report):
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self):
        self.coverage.stop()
        self.coverage.save()
        Path("took").write_text(json.dumps(self.took))


def in_child(limit, plugin, *names):
    """Exit code of tests in a process of their own: 0 where all pass, < 0 where time is up."""
    child = os.fork()
    if child == 0:
        import pytest

        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(10 * limit)  # threads that wait for each other use no processor
        with open("log", "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        quiet = ["-n", "0", "-q", "-x", "-p", "no:cacheprovider"]
        os._exit(pytest.main([*quiet, *names], plugins=[plugin()]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def copied():
    """A copy of the package and its tests, where processes find it."""
    work = Path(tempfile.mkdtemp())
    for name in ("sklearn_zorb", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, work / name)
    os.chdir(work)
    sys.path.insert(0, str(work))
    os.environ.update(PYTHONPATH=str(work), COVERAGE_FILE=str(work / "coverage"))
    for name in HEAVY:  # what each child would import anew
        import_module(name)
    return work


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.8, help="share found that is asked for")
    options = parser.parse_args()
    work = copied()
    if in_child(3600, Measured, *TESTS):
        sys.exit(Path("log").read_text())
    took, data, drawn = json.loads(Path("took").read_text()), CoverageData("coverage"), []
    data.read()
    for path in sorted(path for one in FOLDERS for path in (work / one).rglob("*.py")):
        by_line = data.contexts_by_lineno(str(path)).items()
        drawn += places(path, {line: took.keys() & names for line, names in by_line})
    print(f"{len(took)} tests take {sum(took.values()):.0f} s; {len(drawn)} changes", flush=True)
    found = 0
    for n, (path, i, j, tests) in enumerate(
        random.Random(options.seed).sample(drawn, options.count)
    ):
        source, seconds = path.read_text(), {test: took[test] for test in tests}
        text, line, told = changed(source, i, j)
        path.write_text(text)
        files = sorted({test.split("::")[0] for test in tests})
        limit = PATIENCE + int(2 * sum(seconds.values()))
        if in_child(limit, partial(Chosen, seconds), *files) != 0:
            found += 1
        else:
            where = f"{n}: {path.relative_to(work)}:{line}, by {len(tests)} tests"
            print(where, *told, sep="\n    ", flush=True)
        path.write_text(source)
    shutil.rmtree(work)
    print(f"{found} of {options.count} changes of seed {options.seed} are found")
    sys.exit(found < options.least * options.count)


if __name__ == "__main__":
    main()
