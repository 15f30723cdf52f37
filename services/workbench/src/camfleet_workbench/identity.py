"""Who may use JupyterLab: holders of an admin key of the fleet, or of a login link."""

from typing import Any

from jupyter_server.auth.identity import PasswordIdentityProvider, User
from traitlets import Instance, Tuple

from camfleet_contracts.access import Network, is_allowed
from camfleet_contracts.keys import Key, KeyStore

_ADMIN = "admin"


class FleetIdentity(PasswordIdentityProvider):  # type: ignore[misc]  # no types in the vendor
    """Checks tokens and typed keys against the key store; Jupyter's own token stays internal."""

    keys = Instance(KeyStore, config=True)
    networks = Tuple(config=True)

    def get_user_token(self, handler: Any) -> User | None:
        """The user of the `token` argument or Authorization header, None when it is nobody's."""
        networks: tuple[Network, ...] = self.networks
        if not is_allowed(handler.request.remote_ip, networks):
            return None
        token = self.get_token(handler)
        if token and (key := self._admin_of(token)):
            return self._user(key)
        return super().get_user_token(handler)

    def process_login_form(self, handler: Any) -> User | None:
        """The user of a key typed into the login page."""
        key = self._admin_of(handler.get_argument("password", default=""))
        return self._user(key) if key else None

    def _admin_of(self, presented: str) -> Key | None:
        key = self.keys.check(presented) or self.keys.use_login(presented)
        return key if key and key.role == _ADMIN else None

    @staticmethod
    def _user(key: Key) -> User:
        return User(username=key.name, name=key.name, display_name=key.name)
