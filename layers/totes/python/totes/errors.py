"""Exceptions, named by what to do about them; the state machine's Retry and Catch speak these names."""


class TotesError(Exception):
    """What went wrong, where, and what to do about it."""


class UserError(Exception):
    """One sentence that says what is wrong and what to do about it; the command line shows it without a traceback."""


class RetryableError(TotesError):
    """Trying the same step again may succeed; the base of all that the state machine retries."""


class SourceUnavailable(RetryableError):
    """The source database did not answer, or the connection to it was lost."""


class WarehouseUnavailable(RetryableError):
    """The warehouse did not answer, the connection to it was lost, or another loader holds its lock."""


class DatabaseUnavailable(RetryableError):
    """A database whose password is rotated did not answer, or refused every password that its secret has."""


class LoginRefused(RetryableError):
    """A database does not know the password: it is just being changed, or the secret has a wrong one."""


class SecretUnavailable(RetryableError):
    """Secrets Manager did not answer, or refused for the moment."""


class LakeUnavailable(RetryableError):
    """The object store did not answer, or refused for the moment."""


class BatchTaken(RetryableError):
    """Another run has committed the batch of this number, or the plan, draft or edition, or a dashboard snapshot.

    This run's work is void, the next try goes on from there.
    """


class ReplayKilled(TotesError):
    """The function was killed at one batch of a replay again and again; the replay is given up."""


class ContractError(TotesError):
    """The source no longer has the shape that totes reads: a table or column is missing or of another type."""


class MassDeletion(TotesError):
    """So many rows are gone from a source table at once that a person must say whether they are meant to be."""


class PieceFailed(TotesError):
    """Pieces of a source or batch, for many functions, could not be done; the sentence names them and their errors."""


class ConfigurationError(TotesError):
    """A setting, secret, permission or database is not what totes needs; the sentence says which."""


class NotFilledIn(ConfigurationError):
    """A secret is as the stack made it: nobody has stored a login in it."""


class NotFilledInYet(NotFilledIn):
    """The stack has made the secret within the last day: a run steps back and wakes nobody."""


class StatementRefused(TotesError):
    """A database refused a statement for a reason that no retry cures; the sentence has its code and its words."""


class LakeCorrupted(TotesError):
    """An object that a manifest names is missing, or is not the one that was written."""
