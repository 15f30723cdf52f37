"""The wire messages of TensorFlow Serving and KServe v2, beside any client in the same process.

They live in a descriptor pool of their own: pass ``descriptor_pool=POOL`` to
``google.protobuf.json_format`` when a message holds an ``Any``.
"""

from camfleet_contracts._generated import inference_pb2, serving_pb2, tensorflow_pb2
from camfleet_contracts._pool import POOL

__all__ = ["POOL", "inference_pb2", "serving_pb2", "tensorflow_pb2"]
