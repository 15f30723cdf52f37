"""Take passwords out of text before anybody sees it."""

import re

_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s\"?#]*@", re.IGNORECASE)
# Written as it is, with a space, / ? or # in the password; digits are rather a port.
_RAW_USER_INFO = re.compile(
    r"([a-z][a-z0-9+.-]*://)[^/\s\"?#:\[]*:(?!\s|\d{1,5}(?:[/?\s]|$))"
    r"(?:[^/\"?#\n]*|[^\s\"]*)@",
    re.IGNORECASE,
)
_ENDS_A_LOGIN = re.compile(r"[/?#]")
_SECRET_PARAMETER = re.compile(
    r"([?&](?:password|passwd|pwd|pass|token|apikey|api_key|key|auth)=)[^&\s'\"]*", re.IGNORECASE
)


def redact(text: str, *secrets: str) -> str:
    """Return `text` without the user part of URLs, secret parameters and the given secrets."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    text = _USER_INFO.sub(r"\1***@", _RAW_USER_INFO.sub(r"\1***@", text))
    return _SECRET_PARAMETER.sub(r"\1***", text)


def has_broken_login(url: str) -> bool:
    """Tell whether the password of an address holds what ends the part it is in: a /, ? or #."""
    whole, raw = _USER_INFO.match(url), _RAW_USER_INFO.match(url)
    if raw is None or (whole and ":" in url[whole.end(1) : whole.end()]):
        return False
    return _ENDS_A_LOGIN.search(url, raw.end(1), raw.end()) is not None


def is_redacted(text: str) -> bool:
    """Tell whether `text` has *** where a user, a password or a key would be."""
    return "***" in text and redact(text.replace("***", "x")) == text
