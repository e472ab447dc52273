"""What a person can mend."""


class UserError(Exception):
    """One sentence that says what is wrong and what to do about it; shown without a traceback."""


class NotDeployedError(UserError):
    """There is no such stack."""
