"""What would save how much, worked out from what a camera costs on this machine now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from camfleet.cli.advice.alternatives import Alternatives
from camfleet.cli.advice.fleet_costs import CameraCosts, ServerCosts
from camfleet.cli.advice.stillness import Stillness
from camfleet_contracts.cameras import source_kind

SLOWEST_TO_COUNT_FPS = 5.0  # below it boxes of one object hardly overlap; see docs/analytics.md
SUB_STREAM = (640, 360)
WORTH_MS_S = 0.5  # savings below this are not mentioned
HARDLY_STILL = 0.1
MANY_RESULTS_S = 5.0
NOTHING_KNOWN = Alternatives()


@dataclass(frozen=True, slots=True)
class Advice:
    """One change of cameras.yaml or of the model. `saves_ms_s` is None where nobody can know."""

    camera: str
    change: str
    saves_ms_s: float | None
    because: str


def advise(
    costs: CameraCosts,
    seen: Stillness | None,
    server: ServerCosts | None,
    others: Alternatives = NOTHING_KNOWN,
) -> tuple[Advice, ...]:
    """All that could be done for one camera, what saves most first."""
    rules = (_rate(costs), _motion(costs, seen), _idle(costs, seen), _sub_stream(costs))
    found = [one for rule in rules for one in rule if one.saves_ms_s is None or worth(one)]
    found += [*_model(costs, server, others), *_threads(costs, others), *_results(costs)]
    return tuple(sorted(found, key=lambda one: -(one.saves_ms_s or 0.0)))


def worth(advice: Advice) -> bool:
    """True when the saving is one."""
    return (advice.saves_ms_s or 0.0) >= WORTH_MS_S


def _rate(costs: CameraCosts) -> Iterator[Advice]:
    pipeline = costs.settings["pipeline"]
    fps, counts = float(pipeline["fps"]), bool(pipeline["lines"] or pipeline["zones"])
    lower = SLOWEST_TO_COUNT_FPS if fps > SLOWEST_TO_COUNT_FPS else fps / 2
    if lower < 1 or (counts and lower < SLOWEST_TO_COUNT_FPS):
        return
    frame_ms = costs.frame_ms
    saves = None if frame_ms is None else costs.asked_s * (1 - lower / fps) * frame_ms
    because = f"{costs.asked_s:.1f} requests a second now"
    if counts:
        because += "; fast objects are lost sooner, compare the counts"
    yield Advice(costs.name, f"fps: {lower:g}", saves, because)


def _motion(costs: CameraCosts, seen: Stillness | None) -> Iterator[Advice]:
    if costs.settings["pipeline"]["motion"]:
        return
    share = seen.share if seen else None
    if share is None or costs.inference_ms is None:
        reason = "how often it is still" if share is None else "what the model server spends"
        yield Advice(costs.name, "motion: true", None, f"unknown: {reason}; look for longer")
        return
    saves = costs.asked_s * share * costs.inference_ms
    because = f"still in {share:.0%} of {seen.looked if seen else 0} pictures looked at just now"
    if share >= HARDLY_STILL:
        yield Advice(costs.name, "motion: true", saves, because)


def _idle(costs: CameraCosts, seen: Stillness | None) -> Iterator[Advice]:
    """Key frames only: what decoding costs while still, less the key frames."""
    pipeline = costs.settings["pipeline"]
    if pipeline.get("idle") is not None:
        return
    gated = costs.still_s / costs.analysed_s if pipeline["motion"] and costs.analysed_s else None
    share = gated if gated is not None else seen.share if seen else None
    if share is None or share < HARDLY_STILL or not costs.decoded_s:
        return
    if seen is None or seen.key_frame_s is None:
        yield Advice(costs.name, "idle: {}", None, "unknown: how far its key frames are apart")
        return
    between = max(1.0, seen.key_frame_s * costs.decoded_s)
    saves = costs.decode_ms_s * share * (1 - 1 / between)
    because = f"still for {share:.0%}, a key frame every {seen.key_frame_s:.1f} s; at most this"
    because += _together(costs)
    yield Advice(costs.name, "motion: true, idle: {}", saves, because)


def _sub_stream(costs: CameraCosts) -> Iterator[Advice]:
    width, height = costs.status.get("width"), costs.status.get("height")
    has_one = costs.settings.get("detect_source") is not None
    is_network = source_kind(str(costs.settings["source"])) in {"rtsp", "http"}
    pixels = SUB_STREAM[0] * SUB_STREAM[1]
    if has_one or not is_network or not width or not height or width * height <= pixels:
        return
    saves = costs.decode_ms_s * (1 - pixels / (width * height))
    size = f"{SUB_STREAM[0]}x{SUB_STREAM[1]}"
    because = f"if the camera has a sub-stream: {size} at the same rate instead of {width}x{height}"
    because += _together(costs)
    yield Advice(costs.name, "detect_source: rtsp://...", saves, because)


def _together(costs: CameraCosts) -> str:
    """What one camera does to a reader that it shares saves nothing."""
    others = costs.status.get("reads_with")
    return f"; together with {', '.join(others)}, which its reader serves too" if others else ""


def _model(costs: CameraCosts, server: ServerCosts | None, known: Alternatives) -> Iterator[Advice]:
    """Other models that this server has inferred just now; of the rest nothing is known."""
    name = costs.status["model"]["name"]
    own = costs.inference_ms
    if server is None or own is None:
        yield Advice(costs.name, "model: a smaller or INT8 one", None, _UNKNOWN_SERVER)
        return
    others = {one: server.processor_ms(one) for one in server.inferences_s if one != name}
    quicker = {one: ms for one, ms in others.items() if ms is not None and ms < own}
    for one, ms in quicker.items():
        saves = costs.asked_s * (own - ms)
        yield Advice(costs.name, f"model: {one}", saves, f"{ms:.1f} instead of {own:.1f} ms each")
    if not quicker:
        names = " or ".join(known.smaller) or "one in INT8: camfleet model quantize"
        because = f"unknown until it is asked here; {name} takes {own:.1f} ms of processor time"
        yield Advice(costs.name, f"model: {names}", None, because)


def _threads(costs: CameraCosts, known: Alternatives) -> Iterator[Advice]:
    """A second thread makes one answer come sooner and costs more in all."""
    if known.has_threads_set or costs.inference_ms is None:
        return
    model = costs.status["model"]["name"]
    change = f'config.json, {model}: plugin_config {{"INFERENCE_NUM_THREADS": "1"}}'
    yield Advice(costs.name, change, None, _ONE_THREAD)


_ONE_THREAD = "not measured here; a third of the inference for small models, see performance.md"
_UNKNOWN_SERVER = "unknown: the model server shows no figures, or was not asked in this time"


def _results(costs: CameraCosts) -> Iterator[Advice]:
    rate = float(costs.settings["pipeline"]["results_rate"])
    if rate > MANY_RESULTS_S:
        because = "results are made only while somebody listens; the ledger has no stage for them"
        yield Advice(costs.name, f"results_rate: {MANY_RESULTS_S:g}", None, because)


def facts(advice: Advice) -> dict[str, Any]:
    """For scripts."""
    saves = advice.saves_ms_s
    return {
        "change": advice.change,
        "saves_ms_per_s": None if saves is None else round(saves, 1),
        "because": advice.because,
    }
