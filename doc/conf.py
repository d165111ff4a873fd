"""Settings of the documentation: ``sphinx-build -W doc doc/_build``. Nothing is fetched."""

import os
import sys
from pathlib import Path

# read when jax and BLAS start: examples are small, and threads would only be in their way
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.append(str(Path(__file__).parent / "_ext"))

import sklearn_zorb  # noqa: E402

project = "sklearn-zorb"
author = "The sklearn-zorb developers"
copyright = author
release = version = sklearn_zorb.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "mathml",
    "names",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.json"]
# `Dense` links to its page of the API; names without one stay plain
default_role = "py:obj"
html_math_renderer = "mathml"
templates_path = ["_templates"]

autosummary_generate = True
# docstrings say types, shapes and defaults
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    # pages of the API list the examples that use their name, and code links to these pages
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklearn_zorb",),
    "reference_url": {"sklearn_zorb": None},
    "download_all_examples": False,
    "remove_config_comments": True,
    # what a last line returns, such as a legend, is not shown: examples print what they show
    "capture_repr": (),
    "show_memory": False,
    "write_computation_times": False,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-zorb {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"index": []}
html_theme_options = {
    "header_links_before_dropdown": 8,
    "logo": {"text": "sklearn-zorb"},
    "navigation_with_keys": False,
    "show_prev_next": False,
}
