"""What a key may do: everybody's asks and infers, a viewer's changes nothing."""

from camfleet_contracts.keys import Key

VIEWER_MAY_NOT = (
    "a viewer's key changes nothing; `camfleet key add NAME --role admin` makes one that does"
)


def may_change(key: Key) -> bool:
    """Tell whether what is served may be changed with this key."""
    return key.role != "viewer"
