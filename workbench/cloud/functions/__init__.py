"""Functions as processes: the deployed package and layers under the real runtime client, one process a worker."""

from workbench.cloud.functions.package import Code, Package
from workbench.cloud.functions.pool import Functions
from workbench.cloud.functions.worker import Answer, Credentials

__all__ = ["Answer", "Code", "Credentials", "Functions", "Package"]
