"""A refusal of AWS's as a sentence, and what a person can do about it."""

from botocore.exceptions import BotoCoreError, ClientError

_NO_RIGHT = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
        *("AuthorizationError", "AuthorizationErrorException"),
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""The codes with which AWS's services refuse a person: each service has its own."""

_TOO_MANY_VCPUS = "VcpuLimitExceeded"


def refusal(error: BotoCoreError | ClientError) -> str:
    """Say what AWS has refused, and what to do about it where that is known."""
    return f"AWS refused or did not answer: {error}{_advice(error)}"


def _advice(error: BotoCoreError | ClientError) -> str:
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    if code in _NO_RIGHT:
        return "; docs/deploying.md, Who may do what, lists the rights"
    if code == _TOO_MANY_VCPUS:
        return "; docs/deploying.md, From an empty account, says how to ask for more"
    return "; log in again" if code in _EXPIRED else ""
