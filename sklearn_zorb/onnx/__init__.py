"""ONNX for estimators of this package, by skl2onnx.

Importing it tells skl2onnx how to convert them, alone or within pipelines.
"""

try:
    import skl2onnx  # noqa: F401
except ImportError as error:
    raise ImportError(
        "Export to ONNX needs skl2onnx: pip install 'sklearn-zorb[onnx]', or skl2onnx."
    ) from error

from . import columns, decoders, kernel, layers, models, trees  # noqa: F401 - they fill the table
from .estimators import register
from .export import onnx_inputs, to_onnx
from .registry import converts

__all__ = ["converts", "onnx_inputs", "to_onnx"]

register()
