"""The stack that watches the others: which alarms there are, who gets their mails, and the operations dashboard."""

from constructs import Construct

from stacks.constructs.alarms import Alarms, WatchedWarehouse
from stacks.constructs.handed_data import HandedWarehouse
from stacks.constructs.operations_dashboard import OperationsDashboard
from stacks.constructs.topic import AlarmTopic
from stacks.constructs.watched import WatchedPipeline
from stacks.environment import Environment
from stacks.stack import TotesStack


class WatchStack(TotesStack):
    """Alarms, the topic that mails them, and the operations dashboard.

    Attributes:
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        warehouse: HandedWarehouse | None,
        pipeline: WatchedPipeline,
    ) -> None:
        super().__init__(scope, "watch", environment=environment, description="totes: alarms and what operators see")
        watched = None
        if warehouse is not None:
            watched = WatchedWarehouse(identifier=self.take(warehouse.identifier), limits=warehouse.limits)
        topic = AlarmTopic(self, "Topic", environment=environment).topic
        self.alarms = Alarms(self, "Alarms", environment=environment, pipeline=pipeline, warehouse=watched, topic=topic)
        self.output({"AlarmTopicArn": topic.topic_arn})
        OperationsDashboard(self, "Board", environment=environment, pipeline=pipeline, alarms=self.alarms)
