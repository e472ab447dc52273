"""Functions as processes: the deployed package and layers under the real runtime client, one process a worker."""

from local_cloud.functions.package import Code, Package
from local_cloud.functions.pool import Functions
from local_cloud.functions.runtime_api import Answer
from local_cloud.functions.worker import Credentials

__all__ = ["Answer", "Code", "Credentials", "Functions", "Package"]
