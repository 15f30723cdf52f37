"""What can be wrong with a picture: InvalidInputs, and a version that is gone.

The texts are those of OpenVINO Model Server, with the details behind a dash.
"""

from camfleet_server.errors import InvalidInput, ServerError


class EntranceClosed(ServerError):
    """The version was unloaded before the request came to it; look the model up again."""


class BadPicture(InvalidInput):
    """Bytes that are no picture, or one that cannot be decoded."""

    def __init__(self, details: str, tensor: str) -> None:
        """Say what was found."""
        super().__init__(f"Image parsing failed - {details}; input name: {tensor}")


class PictureTooLarge(InvalidInput):
    """More pixels than the server decodes; told from the header alone."""

    def __init__(self, size: tuple[int, int], limit: int, tensor: str) -> None:
        """Say the size, the limit and who can change it."""
        width, height = size
        super().__init__(
            f"Image parsing failed - {width}x{height} pixels are more than the {limit} this server "
            f"takes (--max_image_pixels); send a smaller picture; input name: {tensor}"
        )


class BatchTooLarge(InvalidInput):
    """The pictures of one request would together fill more memory than the server gives."""

    def __init__(self, count: int, limit: int, tensor: str) -> None:
        """Say how many were too many."""
        super().__init__(
            f"Invalid input batch size - {count} pictures of the size of the input are more than "
            f"the {limit} pixels this server takes at once (--max_image_pixels); send fewer; "
            f"input name: {tensor}"
        )


class WrongChannels(InvalidInput):
    """The picture has another number of channels than the input."""

    def __init__(self, expected: int, actual: int, tensor: str) -> None:
        """Say both numbers."""
        super().__init__(
            f"Invalid number of channels in binary input - Expected: {expected}; "
            f"Actual: {actual}; input name: {tensor}"
        )


class MixedSizes(InvalidInput):
    """Pictures of one batch differ in size, and the model's file gives none."""

    def __init__(self, tensor: str) -> None:
        """Say what helps."""
        super().__init__(
            "Binary input images for this endpoint are required to have the same resolution - "
            f"the model leaves it open; send pictures of one size; input name: {tensor}"
        )


class NoPictureInput(InvalidInput):
    """Bytes were sent to an input that is not a picture."""

    def __init__(self, tensor: str, shape: tuple[int, ...]) -> None:
        """Say the input's shape and the ways out."""
        super().__init__(
            "Received binary image input but resource not configured to accept NHWC layout - "
            f"the input has the shape {list(shape)}; add `preprocess` to its model.json, or set "
            f'"layout": "NHWC:NCHW" in config.json; input name: {tensor}'
        )
