"""What a person can fix."""


class UserError(Exception):
    """One sentence that says what is wrong and what to do about it; shown without a traceback."""


class NotDeployedError(UserError):
    """There is no such stack, or none that was ever made whole."""
