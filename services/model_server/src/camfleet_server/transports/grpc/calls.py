"""What every gRPC method shares: ending with the right code, deadlines, tables of handlers."""

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import grpc
import structlog

from camfleet_server.transports.codes import EXPECTED, codes_of

logger = structlog.get_logger(__name__)
_NO_LIMIT_S = 10 * 365 * 86_400.0  # gRPC tells "no deadline" as a very late one
_Answer = TypeVar("_Answer")


class Method(NamedTuple):
    """One RPC: its name, what answers it, and how its messages are read and written."""

    name: str
    answer: Callable[[Any, grpc.ServicerContext], Any]
    request: Any  # message class
    response: Any  # message class


def service_handlers(service: str, methods: tuple[Method, ...]) -> grpc.GenericRpcHandler:
    """Make the handlers of one service."""
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            ending_with_code(method.answer),
            method.request.FromString,
            method.response.SerializeToString,
        )
        for method in methods
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def ending_with_code(
    answer: Callable[[Any, grpc.ServicerContext], _Answer],
) -> Callable[[Any, grpc.ServicerContext], _Answer]:
    """Let errors of the tree end the call with their code and text, others with INTERNAL."""

    @functools.wraps(answer)
    def wrapped(request: Any, context: grpc.ServicerContext) -> _Answer:
        try:
            return answer(request, context)
        except EXPECTED as error:
            context.abort(codes_of(error).grpc, str(error))
        # An RPC ends here: the fault is logged whole, the client learns its kind.
        except Exception as error:
            logger.exception("rpc_failed", error=repr(error))
            context.abort(grpc.StatusCode.INTERNAL, f"Internal server error - {error!r}")
        raise AssertionError("abort raises")

    return wrapped


def refusing(text: str) -> grpc.RpcMethodHandler:
    """Make a handler that answers UNIMPLEMENTED without reading the request."""

    def refuse(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
        raise AssertionError("abort raises")

    return grpc.unary_unary_rpc_method_handler(refuse)


def deadline_of(context: grpc.ServicerContext) -> float | None:
    """Tell on time.monotonic() until when the client waits, None when it set no limit."""
    remaining_s: float | None = context.time_remaining()
    if remaining_s is None or remaining_s > _NO_LIMIT_S:
        return None
    return time.monotonic() + remaining_s
