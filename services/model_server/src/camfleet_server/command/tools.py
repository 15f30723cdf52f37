"""Commands beside serving: `probe` and `benchmark`."""

from collections.abc import Callable, Mapping, Sequence

from camfleet_server.command.benchmark import run_benchmark
from camfleet_server.command.probe import run_probe

TOOLS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "benchmark": run_benchmark,
    "probe": run_probe,
}
