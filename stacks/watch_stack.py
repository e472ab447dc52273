"""The stack that watches: who is told, when, and what there is to see."""

from constructs import Construct

from stacks.config import Environment
from stacks.data_stack import DataStack
from stacks.parts.alarms import Alarms
from stacks.parts.board import Board
from stacks.parts.topic import AlarmTopic
from stacks.pipeline_stack import PipelineStack
from stacks.stack import TotesStack


class WatchStack(TotesStack):
    """Alarms, the topic that tells of them, and the board.

    Attributes:
        alarms: the alarms.
    """

    def __init__(self, scope: Construct, environment: Environment, *, data: DataStack, pipeline: PipelineStack) -> None:
        super().__init__(scope, "watch", environment=environment, description="totes: alarms and the board")
        topic = AlarmTopic(self, "Topic", environment=environment).topic
        self.alarms = Alarms(
            self, "Alarms", environment=environment, pipeline=pipeline, warehouse=data.own_warehouse, topic=topic
        )
        self.tell({"AlarmTopicArn": topic.topic_arn})
        Board(self, "Board", environment=environment, pipeline=pipeline, alarms=self.alarms)
