"""What stands for AWS's session-manager-plugin where a session leads into a local cloud.

It is called as the AWS CLI calls that program, with the answer of StartSession in an environment variable, and prints
the same; a caller sees no other difference. To the local cloud it does not speak AWS's protocol
(`local_cloud.endpoint.sessions`).

`python -m local_cloud.session_plugin VARIABLE REGION StartSession PROFILE PARAMETERS ENDPOINT`, or `--version`.
https://github.com/aws/session-manager-plugin
"""

import json
import os
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from urllib.parse import urlsplit

from local_cloud.splice import splice

_VERSION = "1.2.764.0"
"""The one that it stands for."""

_WORDS = 6


def main(words: Sequence[str]) -> int:
    """Forward a port until this is ended; return the exit code where it cannot be done."""
    if list(words) == ["--version"]:
        print(_VERSION)
        return 0
    if len(words) != _WORDS or words[2] != "StartSession":
        print("Invalid Operation")
        return 1
    answer = json.loads(os.environ.pop(words[0]))
    asked = json.loads(words[4])
    shown = json.dumps({"session": answer["SessionId"], "token": answer["TokenValue"]}).encode() + b"\n"
    gate = urlsplit(answer["StreamUrl"])
    print(f"\nStarting session with SessionId: {answer['SessionId']}", flush=True)
    [port] = asked["Parameters"]["localPortNumber"]
    with socket.create_server(("127.0.0.1", int(port))) as server:
        print(f"Port {port} opened for sessionId {answer['SessionId']}.\nWaiting for connections...", flush=True)
        while True:
            caller, _ = server.accept()
            threading.Thread(target=_forward, args=(caller, (gate.hostname, gate.port), shown), daemon=True).start()


def _forward(caller: socket.socket, gate: tuple[str | None, int | None], shown: bytes) -> None:
    with closing(caller), suppress(OSError), socket.create_connection(gate) as way:
        way.sendall(shown)
        splice(caller, way)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
