"""Functions that may do what their roles' policies allow, and nothing else.

moto can check requests against policies, but then all of them, the person's too, and it knows resources only for S3,
IAM and STS. Here a request that is signed with the key of a function's session is checked against the policies of its
role, with action and resource. Any other request passes, such as the person's or the cdk CLI's. The signature itself is
not checked: this finds what a policy lacks, and keeps nobody out.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import xmltodict
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.responses import S3Response
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import sts_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.invocations import write_log
from local_cloud.endpoint.patches import patch
from local_cloud.functions import Credentials, Package
from local_cloud.policies import decide

RECORD = "/local/authority"
"""The log group with what roles have asked for: a stream a role; an event, once, for every different question.

An event is a JSON object: `role`, its ARN; `action`; `allowed`; `resource`, what was asked for or, where it was
allowed, the words of the statement that allows it.
"""

_PARTITION = "aws"
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_SECONDS = 12 * 60 * 60  # as long as AWS grants at most

_OBJECT_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "HeadBucket": "ListBucket",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "ListBuckets": "ListAllMyBuckets",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListParts": "ListMultipartUploadParts",
        "HeadObject": "GetObject",
        "CopyObject": "PutObject",
        "CreateMultipartUpload": "PutObject",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
        "CompleteMultipartUpload": "PutObject",
        "DeleteObjects": "DeleteObject",
    }
)
"""The operations of S3 whose action has another name; an operation that is in want of one here is refused."""

_FOR_ANYBODY = ("cognito-idp", "cognito-identity")
"""The services that a browser speaks to; whoever signs no request gets no further than they let anybody."""

_sessions: dict[str, Any] = {}
"""The sessions of functions and of who has signed in, by their access keys; none is taken away."""

_recorded: set[tuple[str, str, bool, str]] = set()
_recording = threading.Lock()


def install() -> None:
    """Let moto's services check the policies of the roles that call them."""
    patch(
        BaseResponse,
        "_authenticate_and_authorize_normal_action",
        _authorise,
        why="moto holds all requests to policies or none",
    )
    patch(
        S3Response,
        "_authenticate_and_authorize_s3_action",
        _authorise_s3,
        why="moto holds all requests to policies or none",
    )


def assume(package: Package) -> Credentials:
    """Begin a session of a function's role, and return its credentials."""
    return begin_session(package.role, package.name, _SECONDS)


def begin_session(role_arn: str, name: str, seconds: int) -> Credentials:
    """Begin a session of a role, and return its credentials.

    Args:
        role_arn: the role.
        name: the session's.
        seconds: how long AWS would keep it; nothing here ends it.
    """
    session = sts_backends[ACCOUNT][_PARTITION].assume_role(
        region_name=REGION,
        role_session_name=name,
        role_arn=role_arn,
        policy="",
        duration=seconds,
        external_id="",
    )
    _sessions[session.access_key_id] = session
    return Credentials(session.access_key_id, session.secret_access_key, session.session_token)


class _Refused(Exception):
    """What a role asked for is not allowed; the message is AWS's.

    Attributes:
        user: the ARN of the role's session.
        question: the action, the resource, and why it is refused.
    """

    def __init__(self, user: str, question: str) -> None:
        super().__init__(f"User: {user} is not authorized to perform: {question}")
        self.user = user
        self.question = question


def _authorise(response: Any, resource: str = "*") -> None:
    if response.boto3_service_name in _FOR_ANYBODY and not _is_signed(response) and not _is_for_anybody(response):
        raise JsonRESTError("MissingAuthenticationTokenException", "Missing Authentication Token")
    session, service = _caller(response)
    if session is None:
        return
    action = f"{service}:{response._get_action()}"  # noqa: SLF001 - moto has no public word for it
    try:
        _ask(session, action, _RESOURCES.get(service, lambda _: resource)(response))
    except _Refused as refusal:
        if "json" in response.determine_response_protocol(get_service_model(response.boto3_service_name)):
            raise JsonRESTError("AccessDeniedException", str(refusal)) from refusal
        raise AccessDeniedError(refusal.user, refusal.question) from refusal


def _authorise_s3(response: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
    if not _is_signed(response):  # no bucket here has a policy that lets everybody in
        raise BucketAccessDeniedError(bucket=bucket_name)
    session, _ = _caller(response)
    if session is None:
        return
    try:
        for action, resource in _s3_questions(response, bucket_name, key_name):
            _ask(session, f"s3:{action}", resource)
    except _Refused as refusal:
        error = BucketAccessDeniedError(bucket=bucket_name)
        error.message = str(refusal)
        raise error from refusal


def _is_signed(response: Any) -> bool:
    return "Authorization" in response.headers or "Signature=" in response.uri


def _is_for_anybody(response: Any) -> bool:
    """Whether AWS wants no signature for a request: what a browser says before and while it signs in."""
    service = get_service_model(response.boto3_service_name)
    return bool(service.operation_model(response._get_action()).auth_type == "none")  # noqa: SLF001 - as above


def _caller(response: Any) -> tuple[Any, str]:
    """The session of the function that signed a request, None where none did, and the service as IAM calls it."""
    signed = _CREDENTIAL.search(response.headers.get("Authorization") or unquote(response.uri))
    if signed is None:
        return None, ""
    return _sessions.get(signed["key"]), signed["service"]


def is_allowed(role_arn: str, action: str, resource: str) -> bool:
    """Whether a role may do what an AWS service does for it; this is recorded like the role's own requests."""
    decision = decide(_policies(role_arn), action, resource)
    allowed = decision.allowed and _is_within_boundary(role_arn, action, resource)
    _record(role_arn, action, allowed=allowed, resource=decision.by if allowed else resource)
    return allowed


def _ask(session: Any, action: str, resource: str) -> None:
    if action == "sts:GetCallerIdentity":  # nobody is refused this
        return
    tags = _tags(resource)
    decision = decide(_policies(session.role_arn), action, resource, tags=tags)
    within = _is_within_boundary(session.role_arn, action, resource, tags)
    allowed = decision.allowed and within
    _record(session.role_arn, action, allowed=allowed, resource=decision.by if allowed else resource)
    if allowed:
        return
    if decision.allowed:
        reason = f"because no permissions boundary allows the {action} action"
    elif decision.by:
        reason = "with an explicit deny in an identity-based policy"
    else:
        reason = f"because no identity-based policy allows the {action} action"
    raise _Refused(session.arn, f"{action} on resource: {resource} {reason}")


def _policies(role_arn: str) -> Iterator[str]:
    """The documents of a role's policies, inline and attached; none where the role is gone."""
    try:
        role = iam_backends[ACCOUNT][_PARTITION].get_role_by_arn(role_arn)
    except NotFoundException:
        return
    yield from list(role.policies.values())
    for policy in list(role.managed_policies.values()):
        yield next(version.document for version in policy.versions if version.is_default)


def _is_within_boundary(role_arn: str, action: str, resource: str, tags: Mapping[str, str] | None = None) -> bool:
    """Whether the role's permissions boundary, if it has one, allows it too."""
    backend = iam_backends[ACCOUNT][_PARTITION]
    try:
        boundary = backend.get_role_by_arn(role_arn).permissions_boundary_arn
    except NotFoundException:
        return True
    if not boundary:
        return True
    document = next(each.document for each in backend.get_policy(boundary).versions if each.is_default)
    return decide([document], action, resource, tags=tags).allowed


def _tags(resource: str) -> Mapping[str, str] | None:
    """What a secret is tagged with, as conditions name it, whose request of a function's gives it none; else None."""
    if not resource.startswith(f"arn:{_PARTITION}:secretsmanager:"):
        return None
    secret = secretsmanager_backends[ACCOUNT][REGION].secrets.get(resource)
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in (secret and secret.tags) or []}


def _record(role: str, action: str, *, allowed: bool, resource: str) -> None:
    event = (role, action, allowed, resource)
    with _recording:
        if event in _recorded:
            return
        _recorded.add(event)
        words = {"role": role, "action": action, "allowed": allowed, "resource": resource}
        write_log(RECORD, role.rpartition("/")[2], [json.dumps(words)])


def _s3_questions(response: Any, bucket: str | None, key: str | None) -> Iterator[tuple[str, str]]:
    """What has to be allowed, action and resource, before S3 does what a request asks for."""
    # Not the action that moto has found: for those settings of a bucket that it does not know, it says ListBucket.
    operation = response._get_action_from_method_and_request_uri(response.normalized_request)  # noqa: SLF001
    action = _OBJECT_ACTIONS.get(operation, operation)
    if "versionId" in response.querystring and action in {"GetObject", "DeleteObject"}:
        action += "Version"
    if operation == "DeleteObjects":
        objects = xmltodict.parse(response.body, force_list=("Object",))["Delete"]["Object"]
        yield from ((action, _arn_of(bucket, each["Key"])) for each in objects)
        return
    yield action, "*" if bucket is None else _arn_of(bucket, key)
    if action == "PutObject" and "If-Match" in response.headers:  # to compare an object is to read it
        yield "GetObject", _arn_of(bucket, key)
    if source := response.headers.get("x-amz-copy-source"):
        place, _, version = unquote(source).lstrip("/").partition("?versionId=")
        yield "GetObjectVersion" if version else "GetObject", f"arn:{_PARTITION}:s3:::{place}"
    if action == "GetObject" and response.backend.get_object(bucket, key) is None:
        yield "ListBucket", _arn_of(bucket)  # only who may list a bucket learns that an object is missing


def _arn_of(bucket: str | None, key: str | None = None) -> str:
    return f"arn:{_PARTITION}:s3:::{bucket}" + (f"/{key}" if key else "")


def _secret(response: Any) -> str:
    name = response._get_param("SecretId")  # noqa: SLF001 - as above
    if name is None:
        return "*"
    secret = secretsmanager_backends[ACCOUNT][REGION].secrets.get(name)
    return name if secret is None else str(secret.arn)


def _state_machine(response: Any) -> str:
    named = (response._get_param(word) for word in ("stateMachineArn", "executionArn"))  # noqa: SLF001
    return next(filter(None, named), "*")


def _log_stream(response: Any) -> str:
    group, stream = (response._get_param(word) for word in ("logGroupName", "logStreamName"))  # noqa: SLF001
    return f"arn:{_PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream or ''}" if group else "*"


_RESOURCES: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {"secretsmanager": _secret, "states": _state_machine, "logs": _log_stream}
)
"""How a service names what a request is about; of another service's request it is what moto says, or "*"."""
