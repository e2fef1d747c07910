"""The kinds of checks that are measured against the empty server."""

from dataclasses import dataclass, field

from .deployment import ANYBODY, EVERYBODY, ON_CALL, Deployment

ALLOWED, DENIED, REDIRECTED = "0 200", "7 403", "7 302"


@dataclass(frozen=True)
class Case:
    """A kind of check: what Lictor is told, what it is asked, what it must answer."""

    name: str
    about: str
    who: str = "token"
    """Who asks, as `check_requests` calls them."""
    answer: str = ALLOWED
    """gRPC code and HTTP status, as `--ask` prints them."""
    rules: int = 10
    last: dict | None = field(default_factory=lambda: ON_CALL)
    public: bool = False
    settings: dict = field(default_factory=dict)
    every_token_new: bool = False
    cookie_bytes: int = 0

    @property
    def asserts(self) -> bool:
        """Whether the answer carries a signed assertion."""
        return self.who != "nobody" and self.answer == ALLOWED

    @property
    def reuses(self) -> bool:
        """Whether a second answer carries the same assertion."""
        return self.settings.get("assertion_reuse") != "0s"

    def deployment(self) -> Deployment:
        return Deployment(f"case-{self.name}", rules=self.rules, last=self.last, public=self.public,
                          settings=self.settings, accounts=1 if self.who == "machine" else 0,
                          sessions=1 if self.who == "session" else 0)


IMPERSONATION = {"administrators": ["root@example.com"], "enable_user_impersonation": True}
CASES = [
    Case("reuse", "token and assertion seen before, 10 rules"),
    Case("reuse_1_rule", "the same with 1 rule", rules=1),
    Case("reuse_logged", "the same with 10 rules, a log line each", settings={"log_level": "info"}),
    Case("sign_each", "token seen before, an assertion signed each time", settings={"assertion_reuse": "0s"}),
    Case("new_token", "every token new", every_token_new=True),
    Case("acting", "token of an administrator who acts as somebody", who="acting", settings=IMPERSONATION),
    Case("session", "session seen before", who="session", last=EVERYBODY),
    Case("machine", "service account seen before", who="machine", last=ANYBODY),
    Case("cookies_1k", "1 kB of foreign cookies", cookie_bytes=1_000),
    Case("cookies_8k", "8 kB of foreign cookies", cookie_bytes=8_000),
    Case("denied", "403 with a page", last=None, answer=DENIED),
    Case("redirect", "nobody signed in, 302 to sign in", who="nobody", answer=REDIRECTED),
    Case("public", "public route, nobody signed in", who="nobody", public=True),
]
