"""What scripts take from TensorFlow to speak with a server, without TensorFlow.

The messages are TensorFlow's and TensorFlow Serving's own, field by field on the wire.
"""

from camfleet.compat.missing_tensorflow import explain_missing_tensorflow
from camfleet.compat.serving import PredictionServiceStub, PredictRequest, PredictResponse
from camfleet.compat.tensor_protos import make_ndarray, make_tensor_proto

__all__ = [
    "PredictRequest",
    "PredictResponse",
    "PredictionServiceStub",
    "explain_missing_tensorflow",
    "make_ndarray",
    "make_tensor_proto",
]
