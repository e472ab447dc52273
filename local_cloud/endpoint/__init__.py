"""The AWS endpoint on localhost: moto, and what the stacks need that moto lacks.

Each module beside `server` patches one thing of moto and says why, or has types of resources, its MODELS; a release of
moto that does it itself makes the module superfluous.
"""

from local_cloud.endpoint.server import Endpoint

__all__ = ["Endpoint"]
