"""verify_warehouse: every night, and when totes verify asks, is the warehouse what the source says?"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import watched
from totes import payloads
from totes.capture import SOURCE_TABLES
from totes.databases import connected
from totes.errors import NotFilledInYet, SourceUnavailable, WarehouseUnavailable
from totes.lake import Bucket
from totes.settings import VerifySettings
from totes.star import STAR_TABLES
from totes.verify import keys_to_repair, verify, write_verification
from totes_runtime.rotations import report_rotations
from totes_runtime.verdicts import report_verdict


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Compare; return the verdict and at most `repairs` rows that repair it (`recapture`), or why not; emit metrics."""
    settings, most = VerifySettings.from_environment(), event.get(payloads.REPAIRS, 0)
    report_rotations(settings)  # first, for a database may refuse the login
    try:
        with (
            connected(settings.source_secret, login_name="source", unavailable=SourceUnavailable) as source,
            connected(settings.warehouse_secret, login_name="warehouse", unavailable=WarehouseUnavailable) as warehouse,
        ):
            where, percent = (source, warehouse, Bucket(settings.ingestion_bucket)), settings.mass_deletion_percent
            verdict = verify(*where, SOURCE_TABLES, STAR_TABLES, mass_deletion_percent=percent)
            write_verification(warehouse, batch=verdict.batch, differences=verdict.differences)
            recapture = keys_to_repair(warehouse, STAR_TABLES, verdict, most=most) if most else {}
    except NotFilledInYet as nothing:
        return {payloads.NOT_COMPARED: str(nothing)}
    report_verdict(verdict)
    return {**verdict.to_dict(), payloads.RECAPTURE: recapture}
