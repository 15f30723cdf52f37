"""Addresses without what must not be seen in them."""

import re

_USER_INFO = re.compile(r"(://)[^/@\s]*@")
_SECRET_QUERY = re.compile(
    r"([?&](?:password|passwd|pwd|pass|token|apikey|key|auth)=)[^&#\s]*", re.IGNORECASE
)


def without_password(text: str) -> str:
    """The text with user and password of URLs, and secrets of their queries, replaced by ***."""
    return _SECRET_QUERY.sub(r"\1***", _USER_INFO.sub(r"\1***@", text))
