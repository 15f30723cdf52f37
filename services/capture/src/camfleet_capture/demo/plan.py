"""The plan of the demo street in metres, and the clock of its traffic light."""

from __future__ import annotations

from camfleet_capture.demo.lens import LENS

ROAD_CENTRE = 0.9
KERB = 5.4  # half width of road and cycle lanes
ROAD_EDGE = 4.0  # half width of the two car lanes
WALL = 9.6  # half width between the house fronts
CAR_LANE = 2.0
CYCLE_LANE = 4.7
VIADUCT = 38.0  # its front; whoever comes from the far end comes from under it
ZEBRA = (21.5, 25.0)
NEAR_END = 3.0  # behind the lower edge of the picture
FAR_END = 46.0

GATE_Y = 0.68  # the counting line, relative

CAR_OVERHANG_M = 0.75  # from the near end of a car to the wheel where it touches the ground
BUMPER_M = 0.26

CYCLE_S = 24.0
AMBER_FROM_S = 13.0
RED_FROM_S = 14.5
WALK_FROM_S = 15.4


def bottom_y(label: str, z: float) -> float:
    """Picture row of the lower edge of the box of a mover that touches the ground at z."""
    ground = LENS.to_picture((0.0, 0.0, z))[1]
    if label != "car":
        return ground
    bumper = LENS.to_picture((0.0, BUMPER_M, max(z - CAR_OVERHANG_M, 0.5)))[1]
    return max(ground, bumper)


def light_of_cars(time_s: float) -> str:
    """Colour that the cars see at this time."""
    phase = time_s % CYCLE_S
    if phase < AMBER_FROM_S:
        return "green"
    return "amber" if phase < RED_FROM_S else "red"


def lane_x(offset: float) -> float:
    """Position of a lane given by its offset from the middle of the road."""
    return ROAD_CENTRE + offset
