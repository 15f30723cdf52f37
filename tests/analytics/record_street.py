"""Makes `recorded/`: demo-street on films of the demo street, encoded as capture encodes them.

    .venv/bin/python tests/analytics/record_street.py        (about ten minutes of processor time)

Only needed when the scene, its detector or its decoder changes what is found.
"""

from collections.abc import Iterator
from pathlib import Path

import av

from camfleet_capture.coding import PictureEncoder
from camfleet_capture.demo import StreetScene
from camfleet_contracts.model_manifest import read_manifest
from direct_inference import DirectModel, compiled
from street_recordings import FPS, RECORDED, Run, rows_of, write_runs

MODEL = Path(__file__).parents[2] / "models" / "demo-street" / "1"
CLOCK_HZ = 90_000
SHORT_FILMS = {seed: 20 + seed * 7 % 31 for seed in range(5000, 5050)}  # seconds by seed
LONG_FILM = {7: 300}


def record(model: DirectModel, seed: int, seconds: int) -> Run:
    pictures = decoded(StreetScene(seed), int(seconds * FPS))
    return Run(seed, tuple(rows_of(model.detect(picture, 0.2)) for picture in pictures))


def decoded(scene: StreetScene, frames: int) -> Iterator[av.VideoFrame]:
    """The pictures as a reader of the camera gets them."""
    encoder, decoder = PictureEncoder(FPS), av.CodecContext.create("h264", "r")
    for number in range(frames):
        time_s = number / FPS
        rendered = av.VideoFrame.from_ndarray(scene.frame(time_s), format="rgb24")
        for unit in encoder.encode(rendered, round(time_s * CLOCK_HZ), time_s):
            yield from decoder.decode(av.Packet(b"".join(b"\0\0\0\1" + nal for nal in unit.nals)))
    yield from decoder.decode(None)


def main() -> None:
    manifest = read_manifest(MODEL)
    assert manifest is not None
    model = compiled(manifest, MODEL)
    for name, films in (("street-50.xz", SHORT_FILMS), ("street-7.xz", LONG_FILM)):
        runs = [record(model, seed, seconds) for seed, seconds in films.items()]
        write_runs(RECORDED / name, runs)


if __name__ == "__main__":
    main()
