"""The stateless stack: everything that moves the data. It can be deleted and deployed again at any time."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.handed_dashboard import HandedDashboard, TakenDashboard
from stacks.constructs.handed_data import HandedData, TakenData
from stacks.constructs.handed_network import HandedNetwork, TakenNetwork
from stacks.constructs.layers import Layers
from stacks.constructs.rotation import Rotation
from stacks.constructs.schedule import FunctionSchedule, TickSchedule
from stacks.constructs.star_for_athena import StarForAthena
from stacks.constructs.state_machine import StateMachine
from stacks.constructs.watched import WatchedPipeline
from stacks.environment import Environment
from stacks.pipeline_functions import PipelineFunctions
from stacks.stack import TotesStack

_NEVER_EXPORTED = {"audit_lake", "fetch_exchange_rates", "publish_snapshot"}
"""Functions that were added after stacks had stopped importing from each other."""


class PipelineStack(TotesStack):
    """Layers, functions, state machine, schedules and rotation.

    Attributes:
        watched: what alarms and the operations dashboard watch, by name.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        handed: HandedData,
        network: HandedNetwork | None,
        dashboard: HandedDashboard | None,
    ) -> None:
        super().__init__(
            scope, "pipeline", environment=environment, description="totes: from the source to the warehouse"
        )
        self._environment = environment
        taken_network = None if network is None else TakenNetwork(self, network)
        data = TakenData(self, handed)
        rotated = {name: secret for name, secret in data.logins.items() if name in environment.rotated_logins}
        layers = Layers(self, "Layers", environment=environment)
        dead_letters = DeadLetters(self, "DeadLetters", environment=environment)
        functions = PipelineFunctions(
            self,
            environment=environment,
            network=taken_network,
            layers=layers,
            dead_letters=dead_letters.queue,
        )
        machine = StateMachine(
            self,
            "Pipeline",
            environment=environment,
            capture=functions.capture_function(data),
            transform=functions.transform_function(data),
            load=functions.load_function(data),
            publish=functions.publish_function(data, TakenDashboard(self, dashboard)) if dashboard else None,
        )
        if environment.athena:
            StarForAthena(self, "Athena", environment=environment, processed=data.processed)
        verify = functions.verify_function(data, rotated)
        sweep, audit = functions.sweep_function(data), functions.audit_function(data)
        fetch = functions.fetch_function(data, environment.rates) if environment.rates else None
        self._schedules(machine.state_machine, dead_letters.queue, verify=verify, sweep=sweep, audit=audit, fetch=fetch)
        rotate = functions.rotate_function(data, rotated)
        self._rotation(rotate, rotated)
        outputs = {
            "AnswerFunction": functions.answer_function(data).function_name,
            "VerifyFunction": verify.function_name,
            "StateMachineArn": machine.state_machine.state_machine_arn,
            "RotationFunction": rotate.function_name,
        }
        if data.master is not None:
            outputs["PrepareFunction"] = functions.prepare_function(data, data.master).function_name
        if fetch is not None:
            outputs["RatesFunction"] = fetch.function_name
        if network is not None:
            outputs["NetworkStack"] = network.stack_name
        self.output(outputs)
        self.keep_exporting(
            dead_letters.queue.queue_name,
            machine.state_machine.state_machine_arn,
            *(made.function_name for name, made in functions.made.items() if name not in _NEVER_EXPORTED),
        )
        self.watched = WatchedPipeline(
            state_machine=machine.name, dead_letters=dead_letters.name, functions=functions.watched
        )

    def _schedules(
        self,
        state_machine: sfn.StateMachine,
        dead_letters: sqs.IQueue,
        *,
        verify: lambda_.IFunction,
        sweep: lambda_.IFunction,
        audit: lambda_.IFunction,
        fetch: lambda_.IFunction | None,
    ) -> None:
        """What starts runs, and functions."""
        environment = self._environment
        TickSchedule(self, "Ticks", environment=environment, state_machine=state_machine, dead_letters=dead_letters)
        FunctionSchedule(
            self,
            "Nights",
            environment=environment,
            name="verify",
            description=f"Compares the warehouse of totes-{environment.name} with the source every night",
            function=verify,
            minute=7,
            dead_letters=dead_letters,
        )
        FunctionSchedule(
            self,
            "Sweeps",
            environment=environment,
            name="sweep",
            description=f"Deletes what stopped runs of totes-{environment.name} have left in the lake every night",
            function=sweep,
            minute=37,
            dead_letters=dead_letters,
        )
        FunctionSchedule(
            self,
            "Audits",
            environment=environment,
            name="audit",
            description=f"Compares a seventh of the lake of totes-{environment.name} with its manifests every night",
            function=audit,
            minute=52,
            dead_letters=dead_letters,
        )
        if fetch is not None:
            FunctionSchedule(
                self,
                "RateDays",
                environment=environment,
                name="rates",
                description=f"Fetches the exchange rates of totes-{environment.name} that are new four times a day",
                function=fetch,
                minute=22,
                hours="1,7,13,19",
                dead_letters=dead_letters,
            )

    def _rotation(self, rotate: lambda_.IFunction, rotated: Mapping[str, secretsmanager.ISecret]) -> None:
        """The schedules by which passwords are changed, and an output that says whose."""
        Rotation(self, "Rotation", environment=self._environment, function=rotate, secrets=rotated)
        cdk.CfnOutput(
            self,
            "RotatedLogins",
            value=",".join(rotated),
            description=(
                f"The logins whose passwords totes changes every {self._environment.rotation_days} days; that of a "
                "given secret only where stacks/config.py says rotates_secret=True, and none where it says False."
            ),
        )
