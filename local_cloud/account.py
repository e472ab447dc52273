"""The account and the region that the local cloud pretends to be."""

ACCOUNT = "123456789012"
"""The account that the endpoint plays."""

REGION = "eu-west-2"
"""The region of the local cloud's stacks."""

MAIL = "/local/mail"
"""The log group with the mails that the local cloud has sent: a stream an address; an event a mail.

An event is a JSON object: `to`, `subject` and `text`.
"""
