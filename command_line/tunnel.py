"""A tunnel to a warehouse that nobody outside of its network reaches, for psql and BI tools.

A small instance is started from the network's launch template, Systems Manager forwards a port of this machine through
it, and at the end, also after an error, the instance is terminated: what is not used costs nothing.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from botocore.exceptions import BotoCoreError, ClientError

from command_line.deployment import Deployment
from local_cloud.postgres import free_port
from totes.databases import open_session
from totes.errors import UserError
from totes.logins import login
from totes.sqlstate import first_line
from totes.tls import with_tls

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import StartSessionResponseTypeDef

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"

HOURS = 12
"""After how many hours an instance ends by itself, as its launch template says (`stacks.constructs.tunnel`)."""

_PLUGIN = "session-manager-plugin"
_OLDEST_PLUGIN = (1, 2, 497, 1)
"""The first after 1.2.497.0, as the AWS CLI asks for too: an older one wants the session's token where all see it."""

_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"
_HERE = "127.0.0.1"
_ONLINE_SECONDS = 300.0
_LISTENS_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_GONE = ("shutting-down", "terminated", "stopping", "stopped")

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
"""What a reader sees of libpq's keywords, and the variables that say the same."""


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """An open tunnel.

    Attributes:
        keywords: of libpq, without the password. `host` is the warehouse's own name, which is in its certificate, and
            `hostaddr` is where the tunnel begins.
        password: of the role.
        plugin: the process that forwards the port.
        log: what that says.
    """

    keywords: Mapping[str, str]
    password: str
    plugin: "subprocess.Popen[bytes]"
    log: Path

    @property
    def variables(self) -> dict[str, str]:
        """The login as libpq's environment variables, for a program that is started now."""
        said = {_VARIABLES[name]: value for name, value in self.keywords.items()}
        return {**said, "PGPASSWORD": self.password}

    def line(self, folder: Path) -> str:
        """The psql command that connects; the password is in a file of the folder, which nobody else may read."""
        file = folder / "pgpass"
        place = (self.keywords[name] for name in ("host", "port", "dbname", "user"))
        file.touch(mode=0o600)
        file.write_text(":".join(map(_escaped, (*place, self.password))) + "\n", encoding="utf-8")
        said = {**self.keywords, "passfile": str(file)}
        return "psql " + shlex.quote(" ".join(f"{name}={_quoted(value)}" for name, value in said.items()))

    def wait(self) -> None:
        """Wait without end; raise UserError when the session has ended by itself."""
        self.plugin.wait()
        raise UserError(
            f"Systems Manager has ended the session, as it does when twenty minutes go by without a word: "
            f"{_last_words(self.log)}; type totes tunnel again"
        )


@contextmanager
def tunnel(deployment: Deployment, *, port: int | None, say: Callable[[str], None]) -> Iterator[Tunnel]:
    """Open a tunnel with the login of the reader's role; at the end nothing is left of it.

    Args:
        deployment: whose warehouse.
        port: of this machine; None: a free one.
        say: called with a short sentence at each step.

    Raises:
        UserError: the port is in use, the environment has no such network, the plugin is missing, the instance does
            not come up, or the warehouse does not answer at the other end.
    """
    _refuse_port_in_use(port)
    template = _template(deployment)
    plugin = _plugin(deployment)
    values = login(deployment.secrets, deployment.outputs["DashboardSecretArn"])
    values.pop("service", None)  # libpq would take another address from there
    local = {**values, "hostaddr": _HERE, "port": port or free_port()}
    ec2: EC2Client = deployment.session.client("ec2", endpoint_url=deployment.endpoint)
    ssm: SSMClient = deployment.session.client("ssm", endpoint_url=deployment.endpoint)
    say("Starting a small instance in the network")
    with _instance(ec2, template) as instance:
        say("Waiting until Systems Manager sees it, a minute or so")
        _await_online(ec2, ssm, instance)
        say("Opening the tunnel")
        with _session(ssm, plugin, instance, values, local["port"]) as (process, log):
            _try(local, process, log)
            keywords = {"user" if name == "username" else name: str(value) for name, value in local.items()}
            with with_tls(keywords) as completed:
                keywords = {name: str(completed[name]) for name in _VARIABLES if name in completed}
                yield Tunnel(keywords=keywords, password=values["password"], plugin=process, log=log)


def _refuse_port_in_use(port: int | None) -> None:
    if port is None:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was closed a moment ago is free
        try:
            probe.bind((_HERE, port))
        except OSError as error:
            raise UserError(
                f"port {port} of this machine cannot be used: {error.strerror}; say another --port, or none"
            ) from error


def _template(deployment: Deployment) -> str:
    if "PrepareFunction" not in deployment.outputs:
        if deployment.endpoint is not None:
            raise UserError(
                f"the warehouse of {deployment.name} is in no network, and needs no tunnel: totes psql warehouse "
                f"{deployment.options} opens it"
            )
        raise UserError(
            f"the warehouse of {deployment.name} is not totes' own, and so in no network of totes': reach it as its "
            "owner lets you"
        )
    template = deployment.network_outputs.get("TunnelTemplate")
    if template is None:
        raise UserError(
            f"the network of {deployment.name} has no tunnel: either it has no way out, by which an instance in it "
            "would reach Systems Manager, or an earlier version of totes has deployed it (cdk deploy --all)"
        )
    return template


def _plugin(deployment: Deployment) -> list[str]:
    """How the program is called that forwards the port."""
    if deployment.endpoint is not None:  # a local cloud's sessions are no web sockets
        return [sys.executable, "-m", "local_cloud.session_plugin"]
    found = shutil.which(_PLUGIN)
    where = (
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
    )
    if found is None:
        raise UserError(f"AWS's {_PLUGIN} is not on this machine; {where} says how to install it")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    numbers = tuple(int(number) for number in re.findall(r"\d+", said))
    if numbers < _OLDEST_PLUGIN:
        raise UserError(
            f"{found} is of version {said.strip() or 'none'}, and one newer than 1.2.497.0 is needed; {where} says how "
            "to install it"
        )
    return [found]


@contextmanager
def _instance(ec2: "EC2Client", template: str) -> Iterator[str]:
    """Start an instance, and terminate it at the end.

    Both are asked for in a thread: no Ctrl-C comes between the request and its answer.
    """
    with ThreadPoolExecutor(1) as helper:
        started: Future[Any] = helper.submit(
            ec2.run_instances,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
            MinCount=1,
            MaxCount=1,
        )
        try:
            yield _id_of(started)
        finally:
            helper.submit(_terminate, ec2, started).result()


def _id_of(started: "Future[Any]") -> str:
    name: str = started.result()["Instances"][0]["InstanceId"]
    return name


def _terminate(ec2: "EC2Client", started: "Future[Any]") -> None:
    if started.exception() is not None:
        return
    instance = _id_of(started)
    try:
        ec2.terminate_instances(InstanceIds=[instance])
    except (ClientError, BotoCoreError) as error:
        raise UserError(
            f"the instance {instance} was not terminated: {error}; terminate it yourself (aws ec2 terminate-instances "
            f"--instance-ids {instance}), else it ends {HOURS} hours after its start"
        ) from error


def _await_online(ec2: "EC2Client", ssm: "SSMClient", instance: str) -> None:
    deadline = time.monotonic() + _ONLINE_SECONDS
    while not _is_online(ssm, instance):
        _refuse_ended(ec2, instance)
        if time.monotonic() > deadline:
            raise UserError(
                f"the instance {instance} runs, and Systems Manager does not see it after {_ONLINE_SECONDS:.0f} s: its "
                "subnet needs a way out to AWS by port 443, a NAT or the endpoints ssm and ssmmessages"
            )
        time.sleep(_LOOK_SECONDS)


def _is_online(ssm: "SSMClient", instance: str) -> bool:
    seen = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [instance]}])
    return any(each.get("PingStatus") == "Online" for each in seen["InstanceInformationList"])


def _refuse_ended(ec2: "EC2Client", instance: str) -> None:
    # By a filter: an instance that was started this moment may not be known yet, which is no error.
    found = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance]}])
    for each in (each for reservation in found["Reservations"] for each in reservation["Instances"]):
        if each["State"]["Name"] in _GONE:
            why = each.get("StateReason", {}).get("Message", "nobody says why")
            raise UserError(f"the instance {instance} has ended before it was up: {why}")


@contextmanager
def _session(
    ssm: "SSMClient", plugin: Sequence[str], instance: str, values: Mapping[str, Any], port: int
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Begin a session that forwards a port, as the AWS CLI does, and end it."""
    parameters = {"host": [values["host"]], "portNumber": [str(values["port"])], "localPortNumber": [str(port)]}
    asked = {"Target": instance, "DocumentName": DOCUMENT, "Parameters": parameters}
    answer = _started(ssm, instance, parameters)
    session = {name: answer[name] for name in ("SessionId", "TokenValue", "StreamUrl")}
    words = [_VARIABLE, ssm.meta.region_name, "StartSession", "", json.dumps(asked), ssm.meta.endpoint_url]
    try:
        with tempfile.TemporaryDirectory(prefix="totes-") as folder:
            log = Path(folder) / "plugin.log"
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: S603 - AWS's own program with our own words
                    [*plugin, *words],
                    env={**os.environ, _VARIABLE: json.dumps(session), "SSM_PLUGIN_LOCAL_HOST": _HERE},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # a Ctrl-C is for what uses the tunnel
                )
            try:
                yield process, log
            finally:
                process.kill()
                process.wait()
    finally:
        ssm.terminate_session(SessionId=answer["SessionId"])


def _started(ssm: "SSMClient", instance: str, parameters: Mapping[str, Sequence[str]]) -> "StartSessionResponseTypeDef":
    """Begin a session; an agent that Systems Manager sees may not be connected yet, which may take a minute more.

    https://github.com/aws/session-manager-plugin/issues/55
    """
    deadline = time.monotonic() + _ONLINE_SECONDS
    while True:
        try:
            return ssm.start_session(Target=instance, DocumentName=DOCUMENT, Parameters=parameters)
        except ssm.exceptions.TargetNotConnected as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"Systems Manager sees the instance {instance}, and no session begins after "
                    f"{_ONLINE_SECONDS:.0f} s: {error}; its subnet needs a way out to ssmmessages by port 443"
                ) from error
            time.sleep(_LOOK_SECONDS)


def _try(values: Mapping[str, Any], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Check that the warehouse answers at the other end, proves who it is, and takes the login."""
    deadline = time.monotonic() + _LISTENS_SECONDS
    while True:
        try:
            open_session(values, "tunnel").close()
        except psycopg2.OperationalError as error:
            if process.poll() is not None:
                raise UserError(f"the session did not come about: {_last_words(log)}") from error
            if "Connection refused" not in str(error) or time.monotonic() > deadline:
                raise UserError(_why_not(error)) from error
            time.sleep(_LOOK_SECONDS / 10)
        else:
            return


def _why_not(error: Exception) -> str:
    said = first_line(error)
    if "authentication failed" in said:
        return f"the warehouse does not take the login in the secret: {said}; totes secrets test dashboard tries it too"
    if "certificate" in said:
        return f"what answers at the other end of the tunnel does not prove that it is the warehouse: {said}"
    return (
        f"the tunnel is open, and the warehouse does not answer at its other end: {said}; see that it runs, and that "
        "its security group lets the tunnel's in (cdk diff)"
    )


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _escaped(value: str) -> str:
    """A field of a password file."""
    return value.replace("\\", "\\\\").replace(":", "\\:")


def _quoted(value: str) -> str:
    """A value of a connection string."""
    if re.fullmatch(r"[\w./:@%+,-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
