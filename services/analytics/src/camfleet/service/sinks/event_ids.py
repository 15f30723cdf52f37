"""The id of an event, as a header carries it."""

import hashlib
import json
import logging

from camfleet.service.events.stored import Stored
from camfleet_contracts.packets import EVENT_ID

logger = logging.getLogger(__name__)


def id_for_header(event: Stored) -> str:
    """Its `event_id`; in place of one that fits no header, as older releases took, its SHA-256."""
    event_id = str(json.loads(event.text)["event_id"])
    if EVENT_ID.fullmatch(event_id):
        return event_id
    digest = hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()
    logger.warning(
        "event_id fits no header seq=%s epoch=%s; its SHA-256 is sent as header=%s",
        event.seq,
        event.epoch,
        digest,
    )
    return digest
