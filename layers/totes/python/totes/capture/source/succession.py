"""Whether a source may follow the one of the last batch: no standby behind the same name may go back in time.

A primary always may. After a failover a standby may answer to the name of the primary for a while: on Aurora the old
writer, which is a reader now, until DNS names the new one.
"""

from datetime import UTC, datetime, timedelta

from totes.capture.source.snapshot import Snapshot
from totes.errors import ConfigurationError, SourceUnavailable
from totes.lake import CaptureManifest

_FAILOVER = timedelta(minutes=15)
"""After a batch of the primary's its name is taken to lead to a standby by mistake for so long; then, on purpose."""


def check_succession(snapshot: Snapshot, last: CaptureManifest | None) -> None:
    """Let a source follow the last batch's, or refuse it.

    Raises:
        SourceUnavailable: it is a standby that has not replayed yet what was captured, or one that has just answered to
            the name of the primary.
        ConfigurationError: it is another standby behind the same name.
    """
    if last is None or not _is_family(snapshot, last):
        return
    now, before = snapshot.source, last.source
    if not now.in_recovery:
        return
    is_named_so = snapshot.host == last.host
    if is_named_so and before.in_recovery and float(now.started) < float(before.started):
        raise ConfigurationError(
            f"the source that answered is not the one of batch {last.batch}, which had started later: several servers "
            f"answer to the name {snapshot.host}, one a standby of the other; store the name of one of them "
            f"(totes secrets set source)"
        )
    if _is_behind(snapshot.replayed, last.position):
        raise SourceUnavailable(
            f"the source is a standby that has replayed up to {snapshot.replayed}, and what was captured goes up to "
            f"{last.position}; wait until it has caught up, or name the server that was read until then. If that one "
            f"is lost, and this is a standby of one that was restored: name its primary for one run, and then "
            f"the standby again"
        )
    if is_named_so and not before.in_recovery and datetime.now(UTC) - last.captured_at < _FAILOVER:
        raise SourceUnavailable(
            f"the source that answered is a standby of the primary that batch {last.batch} was read from: after a "
            f"failover the name {snapshot.host} leads to the new primary within a minute; a standby that it still "
            f"leads to {_FAILOVER.seconds // 60} minutes after that batch is read"
        )


def _is_family(snapshot: Snapshot, last: CaptureManifest) -> bool:
    """Whether the two have one history, so that their positions in it compare."""
    now, before = snapshot.source, last.source
    return (now.system_identifier, now.timeline) == (before.system_identifier, before.timeline)


def _is_behind(replayed: str | None, captured: str | None) -> bool:
    return replayed is not None and captured is not None and _bytes(replayed) < _bytes(captured)


def _bytes(position: str) -> int:
    high, low = position.split("/")
    return (int(high, 16) << 32) + int(low, 16)
