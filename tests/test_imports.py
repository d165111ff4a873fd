"""The shape of the code: imports go down only, files and functions stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import sklearn_zorb

PACKAGE = Path(sklearn_zorb.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# parts on one line do not know each other, and none knows what stands below it
ORDER = (
    ("typing",),
    ("_compat", "_version", "deprecation", "memory", "writing"),
    ("linalg",),
    ("rows", "lists"),
    ("decoders", "layers"),
    ("network",),
    ("trainers",),
    ("auto",),
    ("estimators",),
    ("files", "onnx"),
    ("",),  # the package itself, with its public names
    ("inspection", "dask"),
    ("testing", "automl"),
    ("cli",),
)
LEVEL = {part: level for level, parts in enumerate(ORDER) for part in parts}
# on its own: it imports nothing of the package, and only what stands this high may import it
INDEPENDENT = {"datasets": LEVEL["inspection"]}
# imported on first need only; some of them scikit-learn itself imports where they are there
LAZY = ("jax", "matplotlib", "optax")
OPTIONAL = (*LAZY, "dask", "distributed", "flaml", "optuna", "pandas", "tpot")
IMPORTS = (
    "import sys; "
    "from sklearn_zorb import automl, cli, datasets, inspection, layers, linalg, testing, trainers"
)
MODULE_LINES = 400
FUNCTION_LINES = 60


def name_of(path):
    """Dotted name inside the package; "" for the package itself."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def for_annotations(node):
    """Whether a statement is for type checkers only: annotations may name what stands above."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(path):
    """(line, dotted name inside the package) of every import of the package itself."""
    package = path.relative_to(PACKAGE).parent.parts
    module = ast.parse(path.read_text(encoding="utf-8"))
    module.body = [node for node in module.body if not for_annotations(node)]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base = ".".join(["sklearn_zorb", *base, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "sklearn_zorb":
                yield node.lineno, name.partition(".")[2]


def part_of(name):
    """The part a dotted name belongs to; "" for names of the package itself."""
    first = name.partition(".")[0]
    return first if (PACKAGE / first).is_dir() or (PACKAGE / f"{first}.py").is_file() else ""


def test_imports_go_down():
    wrong = []
    for path in MODULES:
        part = part_of(name_of(path))
        assert part in LEVEL or part in INDEPENDENT, f"{part} has no place in ORDER: give it one"
        wrong += [
            f"{name_of(path)}, line {line}: {name}"
            for line, name in imported(path)
            if not allowed(part, part_of(name))
        ]
    assert not wrong, "imports that go up"


def allowed(part, other):
    if part == other:
        return True
    if part in INDEPENDENT:
        return False
    if other in INDEPENDENT:
        return LEVEL[part] >= INDEPENDENT[other]
    return LEVEL[other] < LEVEL[part]


def test_modules_and_functions_are_short():
    long = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MODULE_LINES:
            long.append(name_of(path))
        long += [
            f"{name_of(path)}, line {node.lineno}: {node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef) and body_length(node) > FUNCTION_LINES
        ]
    assert not long


def body_length(node):
    """Lines of a function without its docstring."""
    length = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return length
    return length - (node.body[0].end_lineno - node.body[0].lineno + 1)


def test_importing_leaves_heavy_packages_alone():
    assert run(f"{IMPORTS}; print(*sorted(set({LAZY!r}) & set(sys.modules)))").split() == []


def test_importing_does_without_optional_packages():
    # None in sys.modules makes an import fail
    run(f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r})); {IMPORTS}")


def test_help_of_the_command_line_waits_for_nothing():
    code = "import sys; from sklearn_zorb.cli import main; main([]); print(*sys.modules)"
    assert {"numpy", "sklearn"}.isdisjoint(run(code).splitlines()[-1].split())


def test_public_names_are_imported_when_they_are_used():
    code = (
        "import sklearn_zorb as z; "
        "print(*z.parse_layers('Tanh'), z.ZORBClassifier.__name__, z.layers.Dense.__name__)"
    )
    assert run(code).split() == ["Tanh()", "ZORBClassifier", "Dense"]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
