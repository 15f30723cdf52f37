"""Options of OVMS that have no use here, and why: told of, or refused."""

from argparse import SUPPRESS, ArgumentParser

WITHOUT_EFFECT = {
    "grpc_workers": "one gRPC server serves all calls, see --grpc_max_threads",
    "sequence_cleaner_poll_wait_minutes": "stateful models are not served",
    "custom_node_resources_cleaner_interval_seconds": "custom nodes are not served",
    "trace_path": "there is no trace file",
}
_CORS = "answers carry no CORS headers; put a proxy in front"
_STATEFUL = "stateful models are not served (OVMS dropped them in 2026.3)"
REFUSED = {
    "cpu_extension": "custom kernels are not loaded into the server; convert the model to "
    "operations that OpenVINO has",
    "stateful": f"{_STATEFUL}; export the state as inputs and outputs",
    "low_latency_transformation": _STATEFUL,
    "idle_sequence_cleanup": _STATEFUL,
    "max_sequence_number": _STATEFUL,
    "pull": "generative models are not served; `camfleet model pull` fetches others",
    "source_model": "generative models are not served; `camfleet model pull` fetches others",
    "task": "generative models are not served",
    "api_key_file": "keys are those of the fleet for every path: `camfleet key add`",
    "allowed_origins": _CORS,
    "allowed_methods": _CORS,
    "allowed_headers": _CORS,
    "allow_credentials": _CORS,
}


def add_of_ovms(parser: ArgumentParser) -> None:
    """Take them all, so that they are told of by their reasons; --help has none of them."""
    for name in (*WITHOUT_EFFECT, *REFUSED):
        parser.add_argument(f"--{name}", nargs="?", const="true", help=SUPPRESS)
