"""The network's stack."""

from constructs import Construct

from stacks.config import Environment, ExistingNetwork, NewNetwork
from stacks.parts.network import Network
from stacks.parts.tunnel import Tunnel, has_tunnel
from stacks.stack import TotesStack


class NetworkStack(TotesStack):
    """Where functions and warehouse live; an environment without a network has none.

    Attributes:
        network: the network.
    """

    def __init__(self, scope: Construct, environment: Environment, *, network: NewNetwork | ExistingNetwork) -> None:
        super().__init__(
            scope, "network", environment=environment, description="totes: where functions and warehouse live"
        )
        self.network = Network(self, "Network", environment=environment, network=network)
        self.tell(self.network.told)
        if has_tunnel(environment):
            tunnel = Tunnel(self, "Tunnel", environment=environment, network=self.network)
            self.tell({"TunnelTemplate": tunnel.template_id})
