"""The local cloud: the stacks as AWS would run them, on this machine, without Docker and without an account."""

from workbench.cloud.cloud import LocalCloud, down, stop, up, wait

__all__ = ["LocalCloud", "down", "stop", "up", "wait"]
