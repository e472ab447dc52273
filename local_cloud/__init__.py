"""The local cloud: the stacks as AWS would run them, on this machine, without Docker and without an account."""

from local_cloud.cloud import LocalCloud
from local_cloud.lifecycle import down, stop, up, wait

__all__ = ["LocalCloud", "down", "stop", "up", "wait"]
