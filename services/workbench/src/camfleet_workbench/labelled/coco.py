"""Pictures with their boxes, kept as a COCO data set that every labelling tool reads."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from camfleet.cli.errors import CommandError
from camfleet.cli.media import pixels_of, read_frames
from camfleet.cli.pictures import with_boxes, write_picture
from camfleet.detections import Detections
from camfleet_contracts.files import write_atomically
from camfleet_workbench import html
from camfleet_workbench.plainly import plainly

ANNOTATIONS, IMAGES = "annotations.json", "images"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """Pictures and what is in them; `labels` are the classes in the order of their numbers."""

    labels: tuple[str, ...]
    pictures: tuple[VideoFrame, ...]
    objects: tuple[Detections, ...]  # one for each picture, in its pixels

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.pictures)

    def __getitem__(self, rows: slice) -> "LabelledPictures":
        """Some of the pictures, e.g. every fourth one to keep back."""
        return LabelledPictures(self.labels, self.pictures[rows], self.objects[rows])

    @property
    def counts(self) -> Counter[str]:
        """How many objects of each label there are."""
        return Counter(label for found in self.objects for label in found.labels)

    def _repr_html_(self) -> str:
        told = ", ".join(f"{count} {label}" for label, count in self.counts.most_common())
        step = max(1, len(self) // _SHOWN)
        drawn = [
            html.picture(with_boxes(pixels_of(picture), objects), 240)
            for picture, objects in zip(
                self.pictures[::step][:_SHOWN], self.objects[::step][:_SHOWN], strict=True
            )
        ]
        return html.paragraph(f"{len(self)} pictures: {told or 'no objects'}") + "".join(drawn)


@plainly
def write_coco(labelled: LabelledPictures, folder: str | Path) -> Path:
    """Write images/*.jpg and annotations.json (COCO, boxes as x, y, width, height in pixels).

    Raises:
        CellError: the folder has a data set already.
    """
    target = Path(folder)
    if (target / ANNOTATIONS).exists():
        raise CommandError(f"{target / ANNOTATIONS} is there already; name another folder")
    for number, picture in enumerate(labelled.pictures):
        write_picture(target / IMAGES / _file_name(number), pixels_of(picture))
    write_atomically(target / ANNOTATIONS, json.dumps(_document(labelled)) + "\n")
    return target


@plainly
def read_coco(folder: str | Path) -> LabelledPictures:
    """Read a data set, e.g. one that was corrected in a labelling tool.

    Raises:
        CellError: there is none, or a picture of it is missing.
    """
    base = Path(folder)
    path = base / ANNOTATIONS
    try:
        document = json.loads(path.read_text())
        categories = {category["id"]: category["name"] for category in document["categories"]}
        images = sorted(document["images"], key=lambda image: str(image["file_name"]))
        boxes = [_boxes_of(document, image["id"], categories) for image in images]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is not a COCO data set: {error}") from error
    pictures = [next(read_frames(base / IMAGES / image["file_name"])).picture for image in images]
    return LabelledPictures(tuple(categories.values()), tuple(pictures), tuple(boxes))


def objects_of(
    boxes: Sequence[Sequence[float]], labels: Sequence[str], known: Sequence[str]
) -> Detections:
    """True objects as detections of confidence 1; boxes are x1, y1, x2, y2 in pixels."""
    return Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.ones(len(labels), np.float32),
        class_id=np.array([known.index(label) for label in labels], np.int64),
        labels=tuple(labels),
    )


def _boxes_of(document: Any, image_id: int, categories: dict[int, str]) -> Detections:
    mine = [one for one in document["annotations"] if one["image_id"] == image_id]
    corners = [(x, y, x + w, y + h) for x, y, w, h in (one["bbox"] for one in mine)]
    labels = [categories[one["category_id"]] for one in mine]
    return objects_of(corners, labels, tuple(categories.values()))


def _document(labelled: LabelledPictures) -> dict[str, Any]:
    images = [
        {"id": number, "file_name": _file_name(number), "width": one.width, "height": one.height}
        for number, one in enumerate(labelled.pictures)
    ]
    annotations: list[dict[str, Any]] = []
    for number, found in enumerate(labelled.objects):
        for (x1, y1, x2, y2), label in zip(found.xyxy.tolist(), found.labels, strict=True):
            box = [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": labelled.labels.index(label) + 1,
                    "bbox": box,
                    "area": round(box[2] * box[3], 2),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": n, "name": label} for n, label in enumerate(labelled.labels, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _file_name(number: int) -> str:
    return f"{number:06d}.jpg"
