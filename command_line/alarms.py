"""A deployment's alarms: whom they tell, and each set off and back to see that a mail arrives.

Only an alarm's history in CloudWatch says whether it could publish, and only the topic knows whether an address has
confirmed that it wants the mails. The topic forgets an address that has not confirmed within 48 hours, or that somebody
has unsubscribed by the link in a mail. CloudFormation does not make such a subscription again:
https://aws.amazon.com/about-aws/whats-new/2023/05/amazon-sns-automatic-deletion-unconfirmed-subscriptions/
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from command_line.deployment import Deployment
from command_line.typed_commands import completed
from totes.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from mypy_boto3_sns import SNSClient

_ON: Final = "ALARM"
_NOTHING_WRONG = "; nothing is wrong"
_REASON = f"a test by totes alarms test{_NOTHING_WRONG}"
_REAL = "it went off for real during its test, and stays on: the mail about the test is the only one that came"
_PENDING = "PendingConfirmation"
_SUBSCRIPTION = "AWS::SNS::Subscription"
_REMOVED = "DELETE_"
"""What the status of a resource begins with that a stack still lists and no longer has."""

_NO_ADDRESS = (
    "the last deployment set no alarm_email; if somebody is to get the mails, set it in stacks/config.py, or say "
    "-c alarm_email=ADDRESS in every deployment (from GitHub: set the variable ALARM_EMAIL), and deploy "
    "(cdk deploy --all)"
)
_PUBLISHED = "Successfully executed action"
_SECONDS = 30.0
_LOOK_SECONDS = 0.5


class NoAddressError(UserError):
    """Nobody gets the mails, because no address is set; whether that is meant to be so, only a person knows."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The result of setting an alarm off.

    Attributes:
        name: of the alarm, without the environment's.
        failure: why no mail was sent; None: CloudWatch has published to the topic.
    """

    name: str
    failure: str | None = None


class AlarmTest:
    """The alarms of a deployment that tell its topic."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._prefix = f"totes-{deployment.environment}-"
        self._topic = deployment.alarm_topic
        self._cloudwatch: CloudWatchClient = deployment.session.client("cloudwatch", endpoint_url=deployment.endpoint)
        self._reason = completed(_REASON, deployment.options)
        self._sns: SNSClient = deployment.session.client("sns", endpoint_url=deployment.endpoint)

    def addresses(self) -> list[str]:
        """Return the addresses that get the mails.

        Raises:
            NoAddressError: no address is set.
            UserError: none has confirmed the subscription, or it is gone.
        """
        confirmed, pending = self._subscribed()
        if not confirmed:
            raise self._nobody(pending)
        return confirmed

    def told(self) -> str:
        """Say who gets the mails, and who has not confirmed yet, in a sentence.

        Raises:
            NoAddressError: no address is set.
            UserError: none has confirmed the subscription, or it is gone.
        """
        confirmed, pending = self._subscribed()
        if not confirmed:
            raise self._nobody(pending)
        not_yet = "".join(f"; {self._not_confirmed(each)}" for each in pending)
        return f"the mails go to {', '.join(confirmed)}{not_yet}"

    def _subscribed(self) -> tuple[list[str], list[str]]:
        """The addresses that have confirmed that they want the mails, and those that have not answered yet.

        For some days SNS also lists those that have unsubscribed, as "Deleted": https://github.com/ansible/ansible/pull/20086
        """
        confirmed: list[str] = []
        pending: list[str] = []
        for page in self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic):
            for each in page["Subscriptions"]:
                if each["SubscriptionArn"].startswith("arn:"):
                    confirmed.append(each["Endpoint"])
                elif each["SubscriptionArn"] == _PENDING:
                    pending.append(each["Endpoint"])
        return confirmed, pending

    @cached_property
    def _is_address_set(self) -> bool:
        """Whether the deployed stack subscribes an address; SNS may have lost the subscription since."""
        client = self._deployment.session.client("cloudformation", endpoint_url=self._deployment.endpoint)
        stack = f"{self._prefix}watch"
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        return any(
            each["ResourceType"] == _SUBSCRIPTION and not each["ResourceStatus"].startswith(_REMOVED)
            for page in pages
            for each in page["StackResourceSummaries"]
        )

    def _nobody(self, pending: Sequence[str]) -> UserError:
        nobody = f"the alarms of {self._deployment.name} reach nobody"
        if pending:
            return UserError(f"{nobody}: {'; '.join(self._not_confirmed(each) for each in pending)}")
        if not self._is_address_set:
            return NoAddressError(f"{nobody}: {_NO_ADDRESS}")
        return UserError(
            f"{nobody}: alarm_email is set, but its subscription is gone, and no deployment makes it again: "
            f"{self._subscribe('ADDRESS')}, and confirm by the mail that comes then"
        )

    def _not_confirmed(self, address: str) -> str:
        return (
            f"{address} has not confirmed the subscription: AWS has sent a mail with a link to do so, and gives the "
            f"subscription up after 48 hours ({self._subscribe(address)} sends another)"
        )

    def _subscribe(self, address: str) -> str:
        """The command that makes a lost subscription again; AWS then sends a mail with a link to confirm it."""
        return f"aws sns subscribe --topic-arn {self._topic} --protocol email --notification-endpoint {address}"

    def run(self, names: Sequence[str], progress: Callable[[int, int], None]) -> list[Tried]:
        """Set alarms off, one after the other, and each back to what it was.

        Args:
            names: of alarms, without the environment's; none: all.
            progress: called with how many are done, and of how many.

        Raises:
            UserError: there is no alarm of a name.
        """
        alarms = self._chosen(names)
        tried = []
        for number, alarm in enumerate(alarms):
            progress(number, len(alarms))
            tried.append(self._try(alarm))
        return tried

    def _chosen(self, names: Sequence[str]) -> "list[MetricAlarmTypeDef]":
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(ActionPrefix=self._topic)
        found = {
            alarm["AlarmName"].removeprefix(self._prefix): alarm for page in pages for alarm in page["MetricAlarms"]
        }
        if unknown := [name for name in names if name not in found]:
            raise UserError(
                f"there is no alarm {unknown[0]} in {self._deployment.name}; there are {', '.join(sorted(found))}"
            )
        return [found[name] for name in names or sorted(found)]

    def _try(self, alarm: "MetricAlarmTypeDef") -> Tried:
        """Set one alarm off, unless it is on by now: the alarms before it may have taken minutes."""
        name = alarm["AlarmName"].removeprefix(self._prefix)
        before = self._as_it_is(alarm)
        if before is None:
            return Tried(name=name, failure="it is gone; somebody has removed it meanwhile")
        if before["StateValue"] == _ON:
            return Tried(name=name, failure=self._why_on(before))
        try:
            failure = self._failure_of(before)
        finally:
            is_restored = self._restore(before)
        return Tried(name=name, failure=failure if is_restored else _REAL)

    def _failure_of(self, alarm: "MetricAlarmTypeDef") -> str | None:
        """Set an alarm off and wait until CloudWatch has told its topic; return why it could not."""
        before = set(self._actions(alarm))
        self._cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=_ON, StateReason=self._reason)
        deadline = time.monotonic() + _SECONDS
        while not (acted := [each for each in self._actions(alarm) if each not in before]):
            if time.monotonic() > deadline:
                return f"CloudWatch has told nobody for {_SECONDS:.0f} s"
            time.sleep(_LOOK_SECONDS)
        _, said = acted[0]
        return None if said.startswith(_PUBLISHED) else said

    def _restore(self, before: "MetricAlarmTypeDef") -> bool:
        """Set an alarm back to what it was before; return False if it has gone off for real meanwhile.

        What CloudWatch itself has found since is left as it is. An answer may be a moment old and show the alarm as it
        was before the test, which says nothing: to set that back again harms nobody.
        """
        name, now = before["AlarmName"], self._as_it_is(before)
        if now is None:
            return True
        if now.get("StateReason") != self._reason and _state(now) != _state(before):
            return now["StateValue"] != _ON
        self._cloudwatch.set_alarm_state(AlarmName=name, StateValue=before["StateValue"], StateReason=self._reason)
        return True

    def _why_on(self, alarm: "MetricAlarmTypeDef") -> str:
        if not alarm.get("StateReason", "").endswith(_NOTHING_WRONG):
            return "it is on already, and not by a test"
        return (
            "it is on already, by a test that still runs or was killed; if none runs: aws cloudwatch set-alarm-state "
            f"--alarm-name {alarm['AlarmName']} --state-value OK --state-reason 'the test is over'"
        )

    def _as_it_is(self, alarm: "MetricAlarmTypeDef") -> "MetricAlarmTypeDef | None":
        """The alarm as CloudWatch has it this moment; None: it has been removed."""
        found = self._cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
        return found[0] if found else None

    def _actions(self, alarm: "MetricAlarmTypeDef") -> list[tuple[str, str]]:
        """When the alarm has told its topic, or has failed to, with what CloudWatch says about it."""
        items = self._cloudwatch.describe_alarm_history(AlarmName=alarm["AlarmName"], HistoryItemType="Action")
        return [(each["Timestamp"].isoformat(), each["HistorySummary"]) for each in items["AlarmHistoryItems"]]


def _state(alarm: "MetricAlarmTypeDef") -> tuple[str, str | None]:
    return alarm["StateValue"], alarm.get("StateReason")
