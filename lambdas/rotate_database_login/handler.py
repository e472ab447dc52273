"""rotate_database_login: a database's password is changed, step by step, as Secrets Manager asks."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import logger, watched
from totes import clients, payloads, rotation


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str] | None:  # noqa: ARG001 - Lambda's signature
    """Do one step of a rotation; the event names it, the secret and the pending version. Or answer a person."""
    secret, token, secrets = event["SecretId"], event.get("ClientRequestToken", ""), clients.secrets_manager()
    logger.append_keys(secret=secret, step=event["Step"])
    match event["Step"]:
        case "createSecret":
            rotation.create_pending(secrets, secret, token)
        case "setSecret":
            rotation.set_pending(secrets, secret, token)
        case "testSecret":
            rotation.try_pending(secrets, secret, token)
        case "finishSecret":
            rotation.finish(secrets, secret, token)
        case question:  # No step of Secrets Manager's: totes secrets test, set and rotate ask.
            # Answered and not raised: an error would set off the alarm that a rotation has failed.
            refused = rotation.refusal(secrets, secret, question, token)
            return {payloads.REFUSED: refused} if refused else {}
    return None
