"""The policies of queues, by CloudFormation."""

import json

from local_cloud.endpoint.resources import Properties, Resource


class QueuePolicy(Resource):
    """The policy of queues."""

    cloudformation = "AWS::SQS::QueuePolicy"
    service = "sqs"

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        for queue in properties["Queues"]:
            self.client.set_queue_attributes(
                QueueUrl=queue, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
            )

    def remove(self) -> None:
        """It ends with its queues."""


MODELS: tuple[type[Resource], ...] = (QueuePolicy,)
