"""Who may use JupyterLab: holders of an admin key of the fleet, or of a login link."""

import json
from typing import Any, Final

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from tornado.web import HTTPError
from traitlets import Instance, Tuple, default

from camfleet_contracts.access import Network, check_key, is_allowed
from camfleet_contracts.keys import Key, KeyStore, TooManyChecks

_ADMIN: Final = "admin"


class FleetLogin(LoginFormHandler):  # type: ignore[misc]  # no types in the vendor
    """The login page; a wrong key holds up nobody."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # no types in the vendor
    async def post(self) -> None:
        """Check the typed key, then log in or tell that it is wrong."""
        if is_allowed(self.request.remote_ip, self.identity_provider.networks):
            await self.identity_provider.decide(self.get_argument("password", default=""))
        super().post()


class FleetIdentity(PasswordIdentityProvider):  # type: ignore[misc]  # no types in the vendor
    """Checks tokens and typed keys against the key store; Jupyter's own token opens nothing.

    JupyterLab writes that token into its page: whoever saw it would outlast their key.
    """

    keys = Instance(KeyStore, config=True)
    networks = Tuple(config=True)

    @default("login_handler_class")
    def _our_login(self) -> type:
        return FleetLogin

    async def get_user_token(self, handler: Any) -> User | None:
        """The user of the `token` argument or Authorization header, None when it is nobody's."""
        networks: tuple[Network, ...] = self.networks
        if not is_allowed(handler.request.remote_ip, networks):
            return None
        token = self.get_token(handler)
        if not token:
            return None
        await self.decide(token)
        key = self._admin_of(token, handler.request.remote_ip)
        return self._user(key) if key else None

    async def decide(self, presented: str) -> None:
        """Have a key checked by the thread for it, so that looking it up costs nothing.

        Raises:
            HTTPError: 429, others wait already.
        """
        try:
            await check_key(self.keys, presented)
        except TooManyChecks as error:
            raise HTTPError(429, str(error), reason="Too Many Requests") from error

    def user_to_cookie(self, user: User) -> str:
        """The cookie of a user, with a session that ends with the key."""
        session = self.keys.new_session(Key(user.username, _ADMIN))
        return json.dumps(json.loads(super().user_to_cookie(user)) | {"session": session})

    def user_from_cookie(self, cookie_value: str) -> User | None:
        """The user of a cookie, None when the key was revoked or is no admin's any more."""
        key = self.keys.check_session(json.loads(cookie_value).get("session", ""))
        is_admin = key is not None and key.role == _ADMIN
        return super().user_from_cookie(cookie_value) if is_admin else None

    def process_login_form(self, handler: Any) -> User | None:
        """The user of a key typed into the login page, None from a network that is not allowed."""
        if not is_allowed(handler.request.remote_ip, self.networks):
            return None
        presented = handler.get_argument("password", default="")
        key = self._admin_of(presented, handler.request.remote_ip)
        return self._user(key) if key else None

    def _admin_of(self, presented: str, peer: str) -> Key | None:
        key = self.keys.check(presented) or self.keys.use_login(presented)
        if key is None and presented:
            self.keys.wrong.note(peer)
        return key if key and key.role == _ADMIN else None

    @staticmethod
    def _user(key: Key) -> User:
        return User(username=key.name, name=key.name, display_name=key.name)
