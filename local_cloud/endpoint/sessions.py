"""Sessions of Systems Manager that forward a port, through an instance, to a database in the network.

moto has none. Systems Manager sees an instance while it runs, its role allows its agent what it needs, and its security
group and its subnet's route let it reach AWS:
https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-prerequisites.html
The protocol is not AWS's, which is a web socket with frames of its own, but a line of JSON and then the bytes as they
are; `local_cloud.session_plugin` takes the place of AWS's plugin and speaks it. A session reaches a database if the
instance's security groups allow that at that moment.
"""

import json
import secrets
import socket
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ec2.models import ec2_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.authority import is_allowed
from local_cloud.endpoint.instances import groups_of, role_of, running
from local_cloud.endpoint.networks import reached_by
from local_cloud.endpoint.patches import add
from local_cloud.endpoint.ways_out import leads_to_aws
from local_cloud.network import database_at
from local_cloud.splice import splice

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"

_AGENT = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
_LONGEST_LINE = 4096
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class _Session:
    """A session.

    Attributes:
        instance: through which it leads.
        host: where it leads.
        port: and there.
        token: what the plugin has to show.
    """

    instance: str
    host: str
    port: int
    token: str


_sessions: dict[str, _Session] = {}
"""Those that are not terminated, by their ids."""

_connected: set[str] = set()
"""The instances that were asked for a session before, so that their agents are ready for one."""

_gate: list[socket.socket] = []
"""Where who forwards calls, once somebody has begun a session."""

_opening = threading.Lock()


def install() -> None:
    """Give moto's Systems Manager sessions."""
    add(SimpleSystemManagerResponse, "describe_instance_information", _describe, why="moto knows no managed instances")
    add(SimpleSystemManagerResponse, "start_session", _start, why="moto has no sessions")
    add(SimpleSystemManagerResponse, "terminate_session", _terminate, why="moto has no sessions")


def _describe(response: Any) -> str:
    filters = {each["Key"]: each["Values"] for each in response._get_param("Filters") or []}  # noqa: SLF001
    wanted = filters.get("InstanceIds")
    seen = [
        {"InstanceId": each.id, "PingStatus": "Online", "ResourceType": "EC2Instance", "PlatformType": "Linux"}
        for each in ec2_backends[ACCOUNT][REGION].all_instances()
        if (wanted is None or each.id in wanted) and _is_online(each.id)
    ]
    return json.dumps({"InstanceInformationList": seen})


def _is_connected(instance: str) -> bool:
    """Whether an agent takes sessions yet: as in AWS, one that is seen for the first time refuses the first session."""
    was_asked = instance in _connected
    _connected.add(instance)
    return was_asked


def _start(response: Any) -> str:
    target, document = response._get_param("Target"), response._get_param("DocumentName")  # noqa: SLF001
    if not (_is_online(target) and _is_connected(target)):
        raise JsonRESTError("TargetNotConnected", f"{target} is not connected.")
    if document != DOCUMENT:
        raise JsonRESTError("InvalidDocument", f"the local cloud knows {DOCUMENT} alone")
    said: Mapping[str, list[str]] = response._get_param("Parameters")  # noqa: SLF001
    session = _Session(
        instance=target, host=said["host"][0], port=int(said["portNumber"][0]), token=secrets.token_urlsafe(24)
    )
    name = f"local-{secrets.token_hex(8)}"
    _sessions[name] = session
    return json.dumps({"SessionId": name, "TokenValue": session.token, "StreamUrl": f"local://127.0.0.1:{_port()}"})


def _terminate(response: Any) -> str:
    name = response._get_param("SessionId")  # noqa: SLF001
    if _sessions.pop(name, None) is None:
        raise JsonRESTError("DoesNotExistException", f"Session {name} does not exist")
    return json.dumps({"SessionId": name})


def _is_online(name: str) -> bool:
    instance = running(name)
    if instance is None:
        return False
    role = role_of(instance)
    if role is None or not leads_to_aws(instance.subnet_id, groups_of(instance)):
        return False
    return all(is_allowed(role, action, "*") for action in _AGENT)


def _port() -> int:
    with _opening:
        if not _gate:
            gate = socket.create_server(("127.0.0.1", 0))
            _gate.append(gate)
            threading.Thread(target=_receive, args=(gate,), daemon=True).start()
    port: int = _gate[0].getsockname()[1]
    return port


def _receive(gate: socket.socket) -> None:
    while True:
        caller, _ = gate.accept()
        threading.Thread(target=_forward, args=(caller,), daemon=True).start()


def _forward(caller: socket.socket) -> None:
    """Connect a caller with the host of its session, until one of the two closes or the session ends."""
    with closing(caller), suppress(OSError):
        session = _shown(caller)
        if session is None or not _reaches(session):
            return
        with socket.create_connection(("127.0.0.1", session.port), _CONNECT_SECONDS) as database:
            database.settimeout(None)
            splice(caller, database)


def _shown(caller: socket.socket) -> _Session | None:
    """The session whose token a caller shows in its first line."""
    line = b""
    while not line.endswith(b"\n"):
        read = caller.recv(1)
        if not read or len(line) > _LONGEST_LINE:
            return None
        line += read
    said = json.loads(line)
    session = _sessions.get(said["session"])
    if session is None or not secrets.compare_digest(session.token, said["token"]):
        return None
    return session


def _reaches(session: _Session) -> bool:
    instance = running(session.instance)
    return instance is not None and database_at(session.host) in reached_by(groups_of(instance), [instance.subnet_id])
