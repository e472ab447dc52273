"""Faults of the object store: an object is not what was written, a request is refused, an answer is lost."""

from collections.abc import Callable, Mapping

from tests.faults.boundary import Script
from tests.faults.functions import LOAD, STEPS, TRANSFORM
from tests.faults.run import whole
from tests.faults.scene import Fault, MissedError, Scene, refused, stir
from tests.faults.worker import Returned
from totes.lake import Bucket, CaptureManifest, Journal, Part, StarJournal, StarManifest


def _damaged(bucket: str, damage: Callable[[bytes], bytes | None]) -> Fault:
    def play(scene: Scene) -> None:
        """An object that the next step reads is not what was written; a person restores it from its versions."""
        lake: Bucket = getattr(scene.world, bucket)
        scene.history.go_on(3)
        scene.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 3")
        assert isinstance(scene.world.capture(), Returned)
        if bucket == "processed":
            assert isinstance(scene.world.transform(), Returned)
        key = _newest_part(lake, bucket).key
        client = scene.world.ground.client("s3")
        as_written = lake.get(key)
        broken = damage(as_written)
        if broken is None:
            client.delete_object(Bucket=lake.name, Key=key)
        else:
            client.put_object(Bucket=lake.name, Key=key, Body=broken)
        step = TRANSFORM if bucket == "ingestion" else LOAD
        refused(whole(scene.world.functions[step]), "LakeCorrupted")
        client.put_object(Bucket=lake.name, Key=key, Body=as_written)

    return play


def _newest_part(lake: Bucket, bucket: str) -> Part:
    """A part that the newest manifest names; what a killed run has left beside it nobody reads."""
    if bucket == "processed":
        stars = StarJournal(lake)
        parts = StarManifest.from_json(stars.read(stars.newest())).tables["fact_payment"].parts
    else:
        journal = Journal(lake)
        parts = CaptureManifest.from_json(journal.read(journal.newest())).tables["payment"].changes
    assert parts, "the batch brings no payment, and one was written"
    return parts[0]


def _flipped(body: bytes) -> bytes:
    return body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]


DAMAGES: Mapping[str, Callable[[bytes], bytes | None]] = {
    "truncated": lambda body: body[:-7],
    "emptied": lambda _body: b"",
    "bit-flipped": _flipped,
    "missing": lambda _body: None,
}


def refused_by_the_store(scene: Scene) -> None:
    """The object store answers 503 until the SDK gives up; the step is tried again."""
    stir(scene)
    step = STEPS[scene.number(3)]
    where = ("s3 GetObject", "s3 PutObject", "s3 ListObjectsV2")[scene.number(3)]
    tick = scene.world.tick({step: Script(action="refuse", where=where)})
    assert tick.succeeded, tick
    if tick.missed:  # the loader puts no object
        raise MissedError


def commit_put_lost(scene: Scene) -> None:
    """A manifest was put, and no answer came, however often the SDK asked."""
    stir(scene)
    step = STEPS[scene.number(2)]
    tick = scene.world.tick({step: Script(action="lose", where="s3 PutObject manifests/", after=True)})
    assert tick.succeeded, tick
    assert not tick.missed


def commit_put_answered_late(scene: Scene) -> None:
    """A manifest was put, its answer was lost, and the SDK puts it again."""
    stir(scene)
    step = STEPS[scene.number(2)]
    tick = scene.world.tick({step: Script(action="repeat", where="s3 PutObject manifests/", after=True)})
    assert tick.succeeded, tick
    assert not tick.missed


FAULTS: Mapping[str, Fault] = {
    **{
        f"an object of the {bucket} bucket {name}": _damaged(bucket, damage)
        for bucket in ("ingestion", "processed")
        for name, damage in DAMAGES.items()
    },
    "the store refuses": refused_by_the_store,
    "the commit put lost": commit_put_lost,
    "the commit put answered late": commit_put_answered_late,
}
