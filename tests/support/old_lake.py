"""A lake of years of ticks, made in seconds: a few real batches, and copies of them under the numbers that follow.

The real ones end where they began: each edit of the source is taken back by a later one. So after any whole number of
rounds the source is what the lake's newest batch says, and an ordinary tick goes on from there.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.databases import execute
from tests.support.pipeline import Pipeline
from totes.lake import Journal, StarJournal
from totes.lake.manifests import digest

EDITS = 5
"""Edits of a round; as many batches take them back."""

_ROUND = 2 * EDITS

_STARS = "manifests/edition-0001/"


def grow_old(pipeline: Pipeline, rounds: int) -> int:
    """Give an empty lake a first batch and so many rounds of ten, of some forty rows each.

    Returns:
        The newest batch.
    """
    pipeline.capture()
    execute(pipeline.source, "CREATE TABLE gone AS SELECT * FROM payment WHERE false")
    for edit in (*range(EDITS), *range(EDITS)):
        _edit(pipeline.source, edit)
        pipeline.capture()
    execute(pipeline.source, "DROP TABLE gone")
    pipeline.transform()
    captured = [json.loads(Journal(pipeline.ingestion).read(batch)) for batch in range(1, _ROUND + 2)]
    stars = [json.loads(StarJournal(pipeline.processed).read(batch)) for batch in range(1, _ROUND + 2)]
    parent = digest(Journal(pipeline.ingestion).read(_ROUND + 1))
    newest = _ROUND + 1
    for _ in range(1, rounds):
        for of_capture, of_star in zip(captured[1:], stars[1:], strict=True):
            newest += 1
            grandparent, parent = parent, _copy_capture(pipeline, of_capture, newest, parent)
            _copy_stars(pipeline, of_star, newest, capture=parent, parent=grandparent)
    return newest


def _edit(source: str, edit: int) -> None:
    """Change some forty rows, or take the same change back."""
    low, high = edit * 12 + 1, edit * 12 + 12
    values = {"low": low, "high": high, "edit": edit}
    execute(
        source,
        "UPDATE sales_order SET units_sold = units_sold # 1 WHERE sales_order_id BETWEEN %(low)s AND %(high)s;"
        "UPDATE payment SET paid = NOT paid WHERE payment_id BETWEEN %(low)s AND %(high)s;"
        "UPDATE transaction SET last_updated = last_updated WHERE transaction_id BETWEEN %(low)s AND %(high)s;"
        "UPDATE address SET phone = reverse(phone) WHERE address_id BETWEEN %(edit)s * 4 + 1 AND %(edit)s * 4 + 4;"
        "UPDATE purchase_order SET agreed_delivery_date = reverse(agreed_delivery_date) "
        "WHERE purchase_order_id = %(edit)s + 1",
        values,
    )


def _copy_capture(pipeline: Pipeline, manifest: Mapping[str, Any], batch: int, parent: str) -> str:
    tables = {
        name: {
            **table,
            **{kind: _copy_parts(pipeline.ingestion, table[kind], batch) for kind in ("changes", "deletes", "context")},
        }
        for name, table in manifest["tables"].items()
    }
    body = _json({**manifest, "batch": batch, "parent": parent, "tables": tables})
    Journal(pipeline.ingestion).commit(batch, body)
    return digest(body)


def _copy_stars(pipeline: Pipeline, manifest: Mapping[str, Any], batch: int, *, capture: str, parent: str) -> None:
    tables = {
        name: {
            **table,
            **{
                kind: _copy_parts(pipeline.processed, table[kind], batch) for kind in ("parts", "deletes", "quarantine")
            },
        }
        for name, table in manifest["tables"].items()
    }
    body = _json({**manifest, "batch": batch, "capture": capture, "parent": parent, "tables": tables})
    Journal(pipeline.processed, _STARS).commit(batch, body)


def _copy_parts(bucket: Any, parts: list[dict[str, Any]], batch: int) -> list[dict[str, Any]]:
    copies = []
    for part in parts:
        place, _, rest = part["key"].partition("/")
        key = f"{place}/{batch:010d}/{rest.partition('/')[2]}"
        bucket.put_new(key, bucket.get(part["key"]))
        copies.append({**part, "key": key})
    return copies


def _json(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True).encode()
