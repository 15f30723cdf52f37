"""`publish_analytics` of the services."""

import os
from typing import Any


class Publishing:
    """What all services can do with results, whatever finds them."""

    def publish_analytics(
        self, results: Any, tag: Any = None, file_path: str | os.PathLike[str] | None = None
    ) -> None:
        """Publish results of this service, or a tracker's that came of them.

        The function `publish_analytics` explains where to. This service is the `base_service`, and
        its model that of results that name none.

        Raises:
            PublishError: it is too large, or one too many, or was refused.
        """
        from camfleet.publishing.publisher import publish_analytics  # noqa: PLC0415 - not for all

        if getattr(results, "model_id", None) == "":
            results.model_id = self._published_model_id()
        publish_analytics(results, tag, file_path, base_service=type(self).__name__)

    def _published_model_id(self) -> str:
        return ""
