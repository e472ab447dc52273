"""The AWS endpoint on localhost: moto, and what it lacks of what the stacks need.

Each module beside `server` patches one thing of moto and says why; a release of moto that does it itself makes the
module superfluous.
"""

from local_cloud.endpoint.server import Endpoint

__all__ = ["Endpoint"]
