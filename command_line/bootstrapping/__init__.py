"""What CloudFormation needs to deploy an environment, and no more: policies, generated from its templates.

`cdk bootstrap` makes CloudFormation's role an administrator, unless it is given policies. A role that may make roles is
an administrator too, unless those are held to a boundary; so both are generated, the policies and the boundary.
"""

from command_line.bootstrapping.policies import Policy, boundary, policies

__all__ = ["Policy", "boundary", "policies"]
"""The package's words."""
