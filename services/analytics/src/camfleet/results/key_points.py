"""Names of the points of a body, and the limbs between them, as edgeIQ has them."""

from collections.abc import Sequence

COCO = (
    "Nose",
    "Left Eye",
    "Right Eye",
    "Left Ear",
    "Right Ear",
    "Left Shoulder",
    "Right Shoulder",
    "Left Elbow",
    "Right Elbow",
    "Left Wrist",
    "Right Wrist",
    "Left Hip",
    "Right Hip",
    "Left Knee",
    "Right Knee",
    "Left Ankle",
    "Right Ankle",
)
"""The seventeen points of COCO, which most models give in this order."""

NECK = "Neck"  # between the shoulders; COCO has none
SHOULDERS = ("Left Shoulder", "Right Shoulder")

LIMBS = (
    (NECK, "Nose"),
    ("Nose", "Left Eye"),
    ("Left Eye", "Left Ear"),
    ("Nose", "Right Eye"),
    ("Right Eye", "Right Ear"),
    (NECK, "Left Shoulder"),
    ("Left Shoulder", "Left Elbow"),
    ("Left Elbow", "Left Wrist"),
    (NECK, "Right Shoulder"),
    ("Right Shoulder", "Right Elbow"),
    ("Right Elbow", "Right Wrist"),
    (NECK, "Left Hip"),
    ("Left Hip", "Left Knee"),
    ("Left Knee", "Left Ankle"),
    (NECK, "Right Hip"),
    ("Right Hip", "Right Knee"),
    ("Right Knee", "Right Ankle"),
)


def point_names(told: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of a model's points: what its manifest says, else COCO's, else their numbers."""
    if len(told) == count:
        return tuple(name.replace("_", " ").title() for name in told)
    return COCO if count == len(COCO) else tuple(str(number) for number in range(count))
