"""All zones of an image."""

import os
from collections.abc import Collection, Iterable
from typing import Self, TypeVar

import cv2
import numpy as np

from camfleet.colours import colour_of
from camfleet.drawing.markup import check_alpha
from camfleet.drawing.shapes import draw_text_with_background
from camfleet.errors import BadArgument
from camfleet.images import Colour, Image, check_image
from camfleet.zone_list.config import load_zones_from_config
from camfleet.zone_list.errors import UnknownZone
from camfleet.zone_list.zone import Boxed, Zone

ResultsT = TypeVar("ResultsT")
_LINE_THICKNESS = 2


class ZoneList:
    """Zones by name. Predictions must be of images of `image_width` x `image_height`."""

    def __init__(
        self,
        config_file: str | os.PathLike[str] | None = None,
        *,
        zones: Iterable[Zone] | None = None,
        image_width: int | None = None,
        image_height: int | None = None,
    ) -> None:
        """Read a file, or take zones.

        Args:
            config_file: a zone_config.json.
            zones: in place of a file.
            image_width: width of the images that predictions come from; zones are converted to
                it. None: as the file or the zones say.
            image_height: likewise.

        Raises:
            BadZones: the file is none of zones.
            BadArgument: both file and zones are given, or neither.
        """
        if (config_file is None) == (zones is None):
            raise BadArgument("ZoneList: give either a zone_config.json or zones=[...]")
        given = (
            load_zones_from_config(config_file) if config_file is not None else list(zones or ())
        )
        self.image_width, self.image_height = image_width, image_height
        self.zones = [_sized(zone, image_width, image_height) for zone in given]

    def __repr__(self) -> str:
        """The zones by name, and the size they are converted to."""
        width, height = self.image_width, self.image_height
        size = "" if width is None and height is None else f", {width}x{height}"
        return f"ZoneList({self.get_zone_names()}{size})"

    @classmethod
    def from_config_file(cls, path: str | os.PathLike[str]) -> Self:
        """The zones of a file, as edgeIQ 2 reads them."""
        return cls(path)

    def get_zone_names(self) -> list[str]:
        """In the order of the file."""
        return [zone.name for zone in self.zones]

    @property
    def zone_names(self) -> list[str]:
        """`get_zone_names()` as edgeIQ 2 has it."""
        return self.get_zone_names()

    def get_zone(self, name: str) -> Zone:
        """One zone.

        Raises:
            UnknownZone: there is none of this name.
        """
        for zone in self.zones:
            if zone.name == name:
                return zone
        raise UnknownZone(name, self.get_zone_names())

    def get_zones_for_prediction(self, prediction: Boxed) -> list[Zone]:
        """The zones it stands in."""
        return [
            zone
            for zone in self.zones
            if zone.check_object_detection_prediction_within_zone(prediction)
        ]

    def get_results_for_zone(self, results: ResultsT, zone_name: str) -> ResultsT:
        """Those in a zone, in the form they came in.

        Raises:
            UnknownZone: there is none of this name.
        """
        return self.get_zone(zone_name).get_results_for_zone(results)

    def filter_results_by_zone(self, results: ResultsT) -> dict[str, ResultsT]:
        """Those in each zone, by its name."""
        return {zone.name: zone.get_results_for_zone(results) for zone in self.zones}

    def markup_image_with_zones(  # noqa: PLR0913, PLR0917 - edgeIQ's signature
        self,
        image: Image,
        zone_names: Collection[str] | None = None,
        show_labels: bool = True,
        show_boundaries: bool = True,
        fill_zones: bool = False,
        color: Colour | None = None,
        alpha: float = 0.3,
    ) -> Image:
        """A copy of the image with the zones; they are fitted to its size.

        Args:
            image: (H, W, 3) BGR.
            zone_names: those to draw; None: all.
            show_labels: write the names.
            show_boundaries: draw the borders.
            fill_zones: fill them with their colour.
            color: of all; None: one that differs for each.
            alpha: share of the colour where they are filled, 0 to 1.

        Raises:
            BadImage: it is not an image.
            UnknownZone: there is none of this name.
            BadArgument: alpha is not within 0 and 1.
        """
        marked = check_image(image, "markup_image_with_zones").copy()
        check_alpha(alpha)
        names = self.get_zone_names() if zone_names is None else zone_names
        height, width = image.shape[:2]
        drawn = [self.get_zone(name).resized(width, height) for name in names]
        colours = {zone.name: color or colour_of(i) for i, zone in enumerate(self.zones)}
        if fill_zones:
            filled = marked.copy()
            for zone in drawn:
                cv2.fillPoly(filled, [_corners(zone)], colours[zone.name])
            marked = np.asarray(cv2.addWeighted(filled, alpha, marked, 1 - alpha, 0), np.uint8)
        for zone in drawn:
            colour = colours[zone.name]
            if show_boundaries:
                cv2.polylines(marked, [_corners(zone)], True, colour, _LINE_THICKNESS, cv2.LINE_AA)
            if show_labels:
                _write_name(marked, zone, colour)
        return marked


def _sized(zone: Zone, width: int | None, height: int | None) -> Zone:
    if width is None and height is None:
        return zone
    return zone.resized(width or zone.image_width, height or zone.image_height)


def _corners(zone: Zone) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return zone.polygon.round().astype(np.int32)


def _write_name(image: Image, zone: Zone, colour: Colour) -> None:
    x, y = _corners(zone).mean(axis=0).round().astype(int).tolist()
    draw_text_with_background(
        image,
        zone.name,
        x,
        y,
        font_thickness=1,
        color=colour,
        padding=5,
        alignment=("center", "center"),
    )
