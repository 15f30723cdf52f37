"""One colour per label, always the same; the page computes the same ones (js/colours.js)."""

_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619
PALETTE_RGB = (
    (56, 189, 248),
    (251, 146, 60),
    (74, 222, 128),
    (244, 114, 182),
    (250, 204, 21),
    (167, 139, 250),
    (45, 212, 191),
    (248, 113, 113),
)


def colour_of(label: str) -> tuple[int, int, int]:
    """RGB of a label, by its FNV-1a hash."""
    digest = _FNV_OFFSET
    for byte in label.encode():
        digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return PALETTE_RGB[digest % len(PALETTE_RGB)]
