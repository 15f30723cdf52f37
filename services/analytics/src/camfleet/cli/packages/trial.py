"""One picture for a version that was just loaded: do its answers fit its manifest?"""

import av
import numpy as np

from camfleet.cli.errors import CommandError
from camfleet.inference.channels import Access
from camfleet.inference.detector import ServerDetector
from camfleet.inference.errors import InferenceError, InferenceRefused, NoDecoder
from camfleet.inference.model_client import ModelClient
from camfleet_contracts.settings import FleetSettings

_GREY = np.full((240, 320, 3), 127, np.uint8)


def try_decoder(settings: FleetSettings, reference: str) -> str:
    """Ask for one grey picture; returns what cameras will lack, empty when nothing.

    Raises:
        CommandError: the answer does not fit, e.g. the number of labels.
    """
    key = settings.api_key.get_secret_value() if settings.api_key else None
    certificates = str(settings.tls_ca) if settings.tls_ca else None
    client = ModelClient(settings.server, Access(key, certificates))
    try:
        if client.current(reference).manifest.postprocess is None:
            return f"{NoDecoder(reference)} before cameras use it; other clients can"
        picture = av.VideoFrame.from_ndarray(_GREY, format="bgr24")
        ServerDetector(client).detect(picture, reference, 1.0)
    except InferenceRefused as error:
        raise CommandError(f"it was taken back: {error}") from error
    except InferenceError as error:
        return f"not tried on a picture: {error}"
    finally:
        client.close()
    return ""
