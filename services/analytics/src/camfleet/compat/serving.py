"""The Predict call of TensorFlow Serving, as `tensorflow_serving.apis` has it."""

from typing import Any

from camfleet_contracts.protocols import serving_pb2

PredictRequest = serving_pb2.PredictRequest
PredictResponse = serving_pb2.PredictResponse


class PredictionServiceStub:
    """`Predict` over a grpc.Channel."""

    def __init__(self, channel: Any) -> None:
        """Use a channel of grpc, which stays the caller's to close."""
        self.Predict = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=PredictRequest.SerializeToString,
            response_deserializer=PredictResponse.FromString,
        )
