"""Where the local cloud says it is."""

ACCOUNT = "123456789012"
"""The account that the endpoint plays."""

REGION = "eu-west-2"
"""The region of the local cloud's stacks."""
