"""What a run does, state by state, in the Amazon States Language.

JSONPath throughout: the local cloud's interpreter does not speak JSONata.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.invoking import RETRYABLE, invoke, path, retry
from stacks.constructs.pieces import reading_pieces, transforming_pieces
from stacks.constructs.publishing import publishing, telling_of
from totes import payloads
from totes.errors import NotFilledInYet
from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NO_LOGIN, NOTHING_CHANGED


class Run(Construct):
    """Step back if another run is under way or a login is not filled in yet; else capture, transform, load, publish.

    A source that is too large for one function is captured twice: the first capture plans pieces, many functions read
    them, and the second capture makes a batch of them. A batch that is too large is transformed in the same way, while
    the batches before it are loaded.

    Every run goes through all steps, unless the lake is still empty: only the warehouse knows what it holds,
    so a run does what an earlier run left undone. Its input is what a person asks of it beyond that:

        {"replay_from": batch}        transform that batch and all that follow again
        {"rebuild": true}             load the warehouse again from the lake
        {"lake_alone": true}          do not ask the source, which is lost or broken
        {"accept_deletes": [table]}   these tables' deletes are meant, however many
        {"recapture": {table: [key]}} read these rows again
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        state_machine_arn: str,
        capture: lambda_.IFunction,
        transform: lambda_.IFunction,
        load: lambda_.IFunction,
        publish: lambda_.IFunction | None,
        pieces_at_once: int,
    ) -> None:
        """Take the functions of the steps; without a dashboard there is no `publish`."""
        super().__init__(scope, id)
        self._state_machine_arn = state_machine_arn
        self._capture = capture
        self._transform = transform
        self._load = load
        self._publish = publish
        self._pieces_at_once = pieces_at_once

    def definition(self) -> sfn.IChainable:
        """The first state, with all states that follow it."""
        transforming = self._transforming()
        capturing = self._capturing(then=transforming)
        lake_alone = path(payloads.ASKED, payloads.LAKE_ALONE)
        is_another_under_way = (
            sfn.Choice(self, "Is another run under way?")
            .when(
                sfn.Condition.or_(
                    sfn.Condition.number_greater_than("$.running", 1),
                    sfn.Condition.and_(
                        sfn.Condition.boolean_equals("$.listed", value=False),
                        sfn.Condition.number_greater_than("$.running", 0),
                    ),
                ),
                self._end("Step back", ANOTHER_RUN, []),
            )
            .when(
                sfn.Condition.and_(
                    sfn.Condition.is_present(lake_alone), sfn.Condition.boolean_equals(lake_alone, value=True)
                ),
                sfn.Pass(
                    self,
                    "The lake alone",
                    result=sfn.Result.from_object({payloads.SEEN: ""}),
                    result_path=path(payloads.CAPTURE),
                ).next(transforming),
            )
            .otherwise(capturing)
        )
        return self._look_for_another_run().next(is_another_under_way)

    def _capturing(self, *, then: sfn.IChainable) -> sfn.Chain:
        """Capture, in pieces if the first capture asks for them, and go on unless the lake is still empty."""
        capturing = self._invoke(
            payloads.CAPTURE,
            self._capture,
            {payloads.READ: sfn.JsonPath.list_at(path(payloads.READ))},
            logs_in_to="source",
        )
        pieces = reading_pieces(self, self._capture, at_once=self._pieces_at_once)
        self._may_fail(pieces)
        what_is_in_the_lake = (
            sfn.Choice(self, "What is in the lake?")
            .when(sfn.Condition.is_present(path(payloads.CAPTURE, payloads.UNREAD)), pieces.next(capturing))
            .when(
                sfn.Condition.number_equals(path(payloads.CAPTURE, payloads.NEWEST), 0),
                self._end("The lake is empty", NOTHING_CHANGED, [payloads.CAPTURE]),
            )
            .otherwise(then)
        )
        return capturing.next(what_is_in_the_lake)

    def _transforming(self) -> sfn.Chain:
        """Transform, load, publish; and do so again after the pieces that the transformation asks for are done."""
        transforming = self._invoke(
            payloads.TRANSFORM,
            self._transform,
            {payloads.TRANSFORMED: sfn.JsonPath.list_at(path(payloads.TRANSFORMED))},
        )
        loading = self._invoke(
            payloads.LOAD,
            self._load,
            {
                payloads.CAPTURED: sfn.JsonPath.number_at(path(payloads.TRANSFORM, payloads.CAPTURED)),
                payloads.SEEN: sfn.JsonPath.string_at(path(payloads.CAPTURE, payloads.SEEN)),
            },
            logs_in_to="warehouse",
        )
        ending = self._ending(again=transforming)
        return transforming.next(loading).next(publishing(self, self._publish, ending) if self._publish else ending)

    def _ending(self, *, again: sfn.Chain) -> sfn.Choice:
        """Transform a large batch in pieces if one is left; else end with the outcome of the run."""
        steps = [payloads.CAPTURE, payloads.TRANSFORM, payloads.LOAD, *([payloads.PUBLISH] if self._publish else [])]
        pieces = transforming_pieces(self, self._transform, at_once=self._pieces_at_once)
        self._may_fail(pieces)
        nothing_more_is_asked = sfn.Pass(
            self,
            "Nothing more is asked",
            comment="A replay or a rebuild that was asked for is begun by now",
            result=sfn.Result.from_object({}),
            result_path=path(payloads.ASKED),
        )
        listed = path(payloads.TRANSFORM, payloads.LISTED)
        not_listed: sfn.IChainable = sfn.Fail(
            self,
            "Not listed",
            error=payloads.NOT_LISTED,
            cause="the warehouse is loaded, but not the lists that Athena reads: the function's log says why",
        )
        if self._publish:
            not_listed = telling_of(self, self._publish, "Athena's lists", not_listed)
        return (
            sfn.Choice(self, "Is anything left?")
            .when(
                sfn.Condition.is_present(path(payloads.TRANSFORM, payloads.UNTRANSFORMED)),
                pieces.next(nothing_more_is_asked).next(again),
            )
            .when(
                sfn.Condition.and_(sfn.Condition.is_present(listed), sfn.Condition.boolean_equals(listed, value=False)),
                not_listed,
            )
            .when(
                sfn.Condition.or_(
                    sfn.Condition.boolean_equals(path(payloads.TRANSFORM, payloads.WAITING), value=True),
                    sfn.Condition.boolean_equals(path(payloads.LOAD, payloads.WAITING), value=True),
                ),
                self._end("Going on", GOING_ON, steps),
            )
            .when(
                sfn.Condition.number_greater_than(path(payloads.LOAD, payloads.LOADED, "count"), 0),
                self._end("Loaded", LOADED, steps),
            )
            .otherwise(self._end("Nothing changed", NOTHING_CHANGED, steps))
        )

    def _look_for_another_run(self) -> sfn.Chain:
        task = tasks.CallAwsService(
            self,
            "Look for another run",
            service="sfn",
            action="listExecutions",
            iam_action="states:ListExecutions",
            iam_resources=[self._state_machine_arn],
            parameters={
                "StateMachineArn": sfn.JsonPath.state_machine_id,
                "StatusFilter": "RUNNING",
                "MaxResults": 2,  # this run and one more are all that matter
            },
            result_selector={
                "running": sfn.JsonPath.array_length(sfn.JsonPath.object_at("$.Executions")),
                # The list lags behind: a run that has just begun may not be on it yet.
                # https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
                "listed": sfn.JsonPath.array_contains(
                    sfn.JsonPath.list_at("$.Executions[*].ExecutionArn"), sfn.JsonPath.execution_id
                ),
                payloads.ASKED: sfn.JsonPath.object_at("$$.Execution.Input"),
                payloads.READ: [],
                payloads.TRANSFORMED: [],
            },
            task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(1)),
        )
        return self._guarded(task, retryable=[sfn.Errors.TASKS_FAILED])  # it only reads, so it can be tried again

    def _invoke(
        self,
        step: str,
        function: lambda_.IFunction,
        told: Mapping[str, Any],
        *,
        logs_in_to: str | None = None,
    ) -> sfn.Chain:
        task = invoke(
            self,
            step.capitalize(),
            function,
            {payloads.ASKED: sfn.JsonPath.object_at(path(payloads.ASKED)), **told},
            result_path=path(step),
            minutes=16,
        )
        if logs_in_to is not None:
            no_login = sfn.Pass(
                self,
                f"No login of the {logs_in_to}",
                parameters={
                    payloads.OUTCOME: NO_LOGIN,
                    payloads.LOGIN: logs_in_to,
                    "failure": sfn.JsonPath.object_at("$.failure"),
                },
            )
            task.add_catch(no_login, errors=[NotFilledInYet.__name__], result_path="$.failure")
        return self._guarded(task, retryable=RETRYABLE)

    def _guarded(self, task: sfn.TaskStateBase, *, retryable: Sequence[str]) -> sfn.Chain:
        """Give a task what every task has: retries after errors that may pass, and a failure that names the step."""
        retry(task, retryable)
        self._may_fail(task, tells=isinstance(task, tasks.LambdaInvoke))
        return sfn.Chain.start(task)

    def _may_fail(self, task: sfn.TaskStateBase | sfn.Map, *, tells: bool = True) -> None:
        """Fail the run with the name of the state. If `tells`, first publish the failure to the dashboard."""
        failed = sfn.Fail(
            self,
            f"{task.id} failed",
            error_path=sfn.JsonPath.format(f"{task.id}.{{}}", sfn.JsonPath.string_at("$.failure.Error")),
            cause_path="$.failure.Cause",
        )
        end: sfn.IChainable = failed
        if self._publish and tells:
            end = telling_of(self, self._publish, task.id, failed)
        task.add_catch(end, errors=[sfn.Errors.ALL], result_path="$.failure")

    def _end(self, name: str, outcome: str, steps: Sequence[str]) -> sfn.Pass:
        """End as a success, with the outcome and what each step returned."""
        results = {step: sfn.JsonPath.object_at(path(step)) for step in steps}
        return sfn.Pass(self, name, parameters={payloads.OUTCOME: outcome, **results})
