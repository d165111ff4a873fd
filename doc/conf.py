"""Settings of the documentation: ``sphinx-build -W doc doc/_build``. Nothing is fetched."""

import os
from pathlib import Path

# read when jax and BLAS start: examples are small, and threads would only be in their way
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sklearn_zorb  # noqa: E402

project = "sklearn-zorb"
author = "The sklearn-zorb developers"
copyright = author
release = version = sklearn_zorb.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.json"]
default_role = "literal"
templates_path = ["_templates"]

autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-zorb {release}"
html_show_sourcelink = False
# only the API and the gallery have pages below them to list
PAGES = [page.stem for page in Path(__file__).parent.glob("*.rst")]
html_sidebars = {name: [] for name in PAGES if name != "api"}
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
