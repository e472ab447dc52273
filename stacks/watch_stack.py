"""The stack that watches: who gets a mail, when, and what there is to see."""

from constructs import Construct

from stacks.config import Environment
from stacks.parts.alarms import Alarms, WatchedWarehouse
from stacks.parts.board import Board
from stacks.parts.handed_data import HandedWarehouse
from stacks.parts.topic import AlarmTopic
from stacks.pipeline_stack import PipelineStack
from stacks.stack import TotesStack


class WatchStack(TotesStack):
    """Alarms, the topic that tells of them, and the board.

    Attributes:
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        warehouse: HandedWarehouse | None,
        pipeline: PipelineStack,
    ) -> None:
        super().__init__(scope, "watch", environment=environment, description="totes: alarms and the board")
        self.add_dependency(pipeline, "it watches what is there")
        watched = None
        if warehouse is not None:
            watched = WatchedWarehouse(identifier=self.take(warehouse.identifier), limits=warehouse.limits)
        topic = AlarmTopic(self, "Topic", environment=environment).topic
        self.alarms = Alarms(self, "Alarms", environment=environment, pipeline=pipeline, warehouse=watched, topic=topic)
        self.tell({"AlarmTopicArn": topic.topic_arn})
        Board(self, "Board", environment=environment, pipeline=pipeline, alarms=self.alarms)
