"""The descriptor pool of our own messages.

Clients in the same process register messages of the same full names in protobuf's default pool;
in a pool of our own both can live, and names inside ``Any`` stay those of the wire.
"""

from google.protobuf import any_pb2, wrappers_pb2
from google.protobuf.descriptor_pool import DescriptorPool

POOL = DescriptorPool()
POOL.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
POOL.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
