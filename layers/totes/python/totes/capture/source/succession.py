"""Whether a source may follow the one of the last batch: no standby behind the same name may go back in time."""

from totes.capture.source.snapshot import Snapshot
from totes.errors import ConfigurationError, SourceUnavailable
from totes.lake import CaptureManifest


def check_succession(snapshot: Snapshot, last: CaptureManifest | None) -> None:
    """Let a source follow the last batch's, or refuse it.

    Raises:
        SourceUnavailable: it is a standby that has not replayed yet what was captured.
        ConfigurationError: it is another standby behind the same name.
    """
    if last is None or not _is_family(snapshot, last):
        return
    now, before = snapshot.source, last.source
    turns = now.in_recovery or before.in_recovery
    if turns and float(now.started) < float(before.started) and snapshot.host == last.host:
        raise ConfigurationError(
            f"the source that answered is not the one of batch {last.batch}, which had started later: several servers "
            f"answer to the name {snapshot.host}, one a standby of the other; store the name of one of them "
            f"(totes secrets set source)"
        )
    if now.in_recovery and _is_behind(snapshot.replayed, last.position):
        raise SourceUnavailable(
            f"the source is a standby that has replayed up to {snapshot.replayed}, and batch {last.batch} has what is "
            f"up to {last.position}; wait until it has caught up, or name the server that the batch was read from"
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
