"""The network's stack."""

from constructs import Construct

from stacks.constructs.handed_network import HandedNetwork
from stacks.constructs.network import Network
from stacks.constructs.tunnel import Tunnel, has_tunnel
from stacks.environment import Environment
from stacks.settings.generations import generation_of
from stacks.settings.networks import ExistingNetwork, NewNetwork
from stacks.stack import TotesStack


class NetworkStack(TotesStack):
    """Where functions and warehouse live; an environment without a network has none.

    Attributes:
        handed: what the other stacks take of the network.
    """

    def __init__(self, scope: Construct, environment: Environment, *, network: NewNetwork | ExistingNetwork) -> None:
        part = generation_of("network", network.generation, "-")
        super().__init__(scope, part, environment=environment, description="totes: where functions and warehouse live")
        made = Network(self, "Network", environment=environment, network=network)
        self.output(made.outputs)
        self.handed = HandedNetwork(self, made)
        if has_tunnel(environment):
            tunnel = Tunnel(self, "Tunnel", environment=environment, network=made)
            self.output(tunnel.outputs)
