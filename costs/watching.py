"""What logs, metrics, alarms and messages cost; each function raises Unpriceable if that cannot be told."""

import json

from costs import assumptions, prices
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource, Unpriceable

_KB_A_GB = 1024**2
_A_MINUTE = 60
_LOG_WIDGET = r"\"type\":\"log\""


def log_group(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Logs::LogGroup: what is written to it, and what it holds once it is as old as its retention."""
    if "RetentionInDays" not in resource.properties:
        raise Unpriceable("it keeps its events for ever, and so costs more every month")
    gigabytes = runs.into_log(resource) * assumptions.KB_LOGGED_A_RUN / _KB_A_GB
    months = resource.number("RetentionInDays") / assumptions.DAYS_A_MONTH
    return [Charge(gigabytes, prices.LOG_INGEST), Charge(gigabytes * months, prices.LOG_STORAGE)]


def alarm(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::CloudWatch::Alarm: each metric that it watches."""
    queries = resource.properties.get("Metrics", [])
    if any("ANOMALY" in str(query.get("Expression")) for query in queries):
        raise Unpriceable("an alarm on an anomaly has no price here")
    statistics = [query["MetricStat"] for query in queries if "MetricStat" in query] or [resource.properties]
    fast = any(int(statistic["Period"]) < _A_MINUTE for statistic in statistics)
    return [Charge(len(statistics), prices.FAST_ALARM if fast else prices.ALARM)]


def composite_alarm(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::CloudWatch::CompositeAlarm: to be there."""
    return [Charge(1, prices.COMPOSITE_ALARM)]


def dashboard(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::CloudWatch::Dashboard: to be there, and what its queries of logs scan each time that somebody looks."""
    queries = json.dumps(resource.properties.get("DashboardBody")).count(_LOG_WIDGET)
    scanned = queries * assumptions.BOARD_LOOKS * assumptions.GB_SCANNED_A_LOOK
    return [Charge(1, prices.DASHBOARD), *([Charge(scanned, prices.LOG_SCAN)] if queries else [])]


def topic(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::SNS::Topic: the e-mails that it is assumed to send."""
    return [Charge(assumptions.EMAILS_A_TOPIC, prices.EMAIL)]


def queue(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::SQS::Queue: its requests."""
    return [Charge(assumptions.REQUESTS_A_QUEUE, prices.SQS_REQUEST)]
