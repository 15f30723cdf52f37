"""Triton's logging and trace extensions over gRPC."""

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc.calls import Answers
from camfleet_server.transports.grpc.kserve_infer import plain_parameters
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.log_settings import change_log_settings
from camfleet_server.transports.served import Catalogue
from camfleet_server.transports.trace_settings import TRACE_SETTINGS, refuse_tracing


class SettingsCalls:
    """LogSettings and TraceSetting; without changes in the request both only tell."""

    def __init__(self, served: Catalogue) -> None:
        self._served = served

    def answers(self) -> Answers:
        """Return what answers each RPC."""
        return {"LogSettings": self.log, "TraceSetting": self.trace}

    def log(self, request: pb.LogSettingsRequest, _: Rpc) -> pb.LogSettingsResponse:
        """Change what is logged and tell what is logged now."""
        response = pb.LogSettingsResponse()
        for name, value in change_log_settings(plain_parameters(request.settings)).items():
            setting = response.settings[name]
            if isinstance(value, bool):
                setting.bool_param = value
            elif isinstance(value, int):
                setting.uint32_param = value
            else:
                setting.string_param = value
        return response

    def trace(self, request: pb.TraceSettingRequest, _: Rpc) -> pb.TraceSettingResponse:
        """Tell that nothing is traced; changes are refused."""
        if request.model_name:
            self._served.statuses(request.model_name)  # raises where there is no such model
        refuse_tracing({name: setting.value for name, setting in request.settings.items()})
        response = pb.TraceSettingResponse()
        for name, values in TRACE_SETTINGS.items():
            response.settings[name].value.extend(values)
        return response
