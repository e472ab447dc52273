"""The end of a process in a test that goes on."""


class Killed(BaseException):
    """What a process that is killed is to those who would tidy up: no error that they see."""
