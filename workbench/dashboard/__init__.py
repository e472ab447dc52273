"""The dashboard on this machine: its page and the snapshots of a deployment, served or written as plain files."""

from workbench.dashboard.export import export
from workbench.dashboard.server import serving

__all__ = ["export", "serving"]
