"""What functions pass to each other: handlers say it in the words of the payloads, the library never does."""

import json
import subprocess
import sys
from typing import Any

# In a process of their own: what handlers have in common takes over the library's log.
SAID = """
import json
from totes.capture import Captured
from totes.lake import PiecesLeft
from totes.outcomes import Span
from totes.star import Transformed
from totes_runtime.answers import capture_answer, failed_pieces, transform_answer

left = PiecesLeft(of=3, pieces=(0, 2))
span = Span(first=1, last=2, count=2)
came_of = [{"done": True}, {"plan": 3, "piece": 2, "error": "LakeUnavailable"}]
print(json.dumps({
    "captured": capture_answer(Captured(batch=4, newest=4)),
    "unread": capture_answer(Captured(batch=None, newest=3, unread=left)),
    "transformed": transform_answer(Transformed(batches=span, newest=2, captured=4)),
    "untransformed": transform_answer(Transformed(batches=span, newest=2, captured=4, untransformed=left)),
    "failed": [vars(each) for each in failed_pieces(came_of, "plan")],
}))
"""


def test_a_step_answers_its_batches_and_what_is_left_to_many_functions() -> None:
    said = answers()
    assert said["captured"] == {"batch": 4, "newest": 4}
    assert said["unread"] == {"batch": None, "newest": 3, "unread": {"plan": 3, "pieces": [0, 2]}}
    transformed = {"transformed": {"first": 1, "last": 2, "count": 2}, "newest": 2, "captured": 4}
    assert said["transformed"] == transformed
    assert said["untransformed"] == transformed | {"untransformed": {"batch": 3, "pieces": [0, 2]}}


def test_of_what_came_of_pieces_those_count_that_failed() -> None:
    assert answers()["failed"] == [{"of": 3, "piece": 2, "error": "LakeUnavailable"}]


def answers() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
