"""Under which name the program runs: camfleet-server with its own defaults, or ovms with OVMS's."""

from dataclasses import dataclass
from pathlib import Path

from camfleet_contracts.settings import FleetSettings

OFF = 0  # as OVMS: port 0 switches a transport off
_OVMS_CACHE = Path("/opt/cache")
_EX_USAGE = 64  # sysexits.h, what OVMS ends with on bad options


@dataclass(frozen=True, slots=True)
class Program:
    """The defaults that depend on the name."""

    name: str
    grpc_port: int
    rest_port: int
    bind_address: str
    cache_dir: Path | None
    server_name: str
    usage_exit_code: int
    needs_a_model: bool  # refuses to start without --config_path or --model_name


def find_program(command: str, fleet: FleetSettings) -> Program:
    """Return what runs as `command` (argv[0]); a link of the name `ovms` behaves as OVMS does."""
    given = fleet.model_fields_set
    if Path(command).name != "ovms":
        return Program(
            name="camfleet-server",
            grpc_port=fleet.grpc_port,
            rest_port=fleet.rest_port,
            bind_address="127.0.0.1",
            cache_dir=fleet.cache_dir,
            server_name="camfleet",
            usage_exit_code=2,
            needs_a_model=False,
        )
    own_cache = fleet.cache_dir if "cache_dir" in given else None
    return Program(
        name="ovms",
        grpc_port=OFF,
        rest_port=OFF,
        bind_address=fleet.bind_address if "bind_address" in given else "0.0.0.0",  # noqa: S104 - OVMS's default; check_exposure refuses it where it is not protected
        cache_dir=own_cache or (_OVMS_CACHE if _OVMS_CACHE.is_dir() else None),
        server_name="OpenVINO Model Server",
        usage_exit_code=_EX_USAGE,
        needs_a_model=True,
    )
