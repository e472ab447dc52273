"""The dashboard on this machine: its page and the snapshots of a deployment, served or written as plain files."""

from command_line.dashboard.export import export
from command_line.dashboard.server import serving

__all__ = ["export", "serving"]
