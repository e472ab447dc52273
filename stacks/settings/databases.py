"""A database: one that somebody else runs, or one of totes' own."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GivenDatabase:
    """A database that somebody else runs.

    Attributes:
        security_group_id: its security group, if it is in the network; None: it is outside, and reached through NAT.
        opens_group: whether the stack adds the rule to that group that lets the functions in; if not, the owner of the
            group adds it, for the group that the network stack's outputs name.
        port: where it listens. It is in what CloudFormation makes up for a secret of totes' own until a login is
            stored, so a change of it puts that in the place of the stored login (docs/deploying.md).
        secret_arn: the secret with its login, if there is one; None: the data stack makes one, to be filled in.
        secret_key_arn: the key that encrypts the given secret, if it is a KMS key of your own and not the key of
            Secrets Manager.
        rotates_secret: whether totes changes the password in the secret; it only does so for a role that is marked as
            made by totes. None: it does for a secret of its own, and not for a given one, which others may use too.
            True: for a given one as well. False: for none; a password that can only be changed elsewhere needs it, as
            a standby's is changed at its primary.
    """

    security_group_id: str | None = None
    opens_group: bool = False
    port: int = 5432
    secret_arn: str | None = None
    secret_key_arn: str | None = None
    rotates_secret: bool | None = None

    def __post_init__(self) -> None:
        """Refuse settings about a secret or a group that is not given; raise ValueError."""
        if self.opens_group and self.security_group_id is None:
            raise ValueError("opens_group is about a group that is given, so GivenDatabase needs its security_group_id")
        said = {"secret_key_arn": self.secret_key_arn, "rotates_secret": self.rotates_secret}
        if self.secret_arn is None and (idle := [name for name, value in said.items() if value]):
            raise ValueError(f"{idle[0]} is about a secret that is given, so GivenDatabase needs its secret_arn too")

    @property
    def is_rotated(self) -> bool:
        """Whether totes changes the password of its login."""
        return self.secret_arn is None if self.rotates_secret is None else self.rotates_secret


@dataclass(frozen=True, kw_only=True)
class OwnDatabase:
    """A database that the data stack makes: PostgreSQL on RDS.

    Attributes:
        instance_type: a burstable Graviton instance, such as "t4g.micro".
        storage_gib: the size of its disk at first.
        most_storage_gib: the size that the disk may grow to by itself, at least a tenth more. The same as storage_gib:
            it does not grow, which only an instance that already exists accepts.
        multi_az: whether a standby runs in another zone.
        backup_days: how long its backups are kept.
        port: where it listens. To change it restarts the instance, and gives the secrets of its logins new passwords
            (docs/disasters.md).
        generation: which instance it is. A higher number makes another instance that replaces the old one: empty, or
            with what a snapshot holds. CloudFormation does not make a lost resource again, so a new generation does
            (docs/disasters.md).
        snapshot: the name or ARN of the snapshot that this generation is restored from; None: it is empty at first.
            Keep it for as long as the generation exists: if it is removed, CloudFormation replaces the instance with an
            empty one.
    """

    instance_type: str
    multi_az: bool
    backup_days: int
    storage_gib: int = 20
    most_storage_gib: int = 200
    port: int = 5432
    generation: int = 1
    snapshot: str | None = None

    def __post_init__(self) -> None:
        """Refuse sizes and times that RDS does not accept; raise ValueError.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
        """
        if self.storage_gib < 20:  # noqa: PLR2004 - RDS's, as the message says
            raise ValueError(f"storage_gib is {self.storage_gib}; RDS gives a database 20 GiB or more")
        if not 1 <= self.backup_days <= 35:  # noqa: PLR2004 - the same
            raise ValueError(f"backup_days is {self.backup_days}; RDS keeps backups for 1 to 35 days, and 0 makes none")
        least = math.ceil(self.storage_gib * 11 / 10)
        if self.most_storage_gib < least and self.most_storage_gib != self.storage_gib:
            raise ValueError(
                f"most_storage_gib is {self.most_storage_gib}; RDS wants a tenth more than storage_gib, {least} or more"
            )
