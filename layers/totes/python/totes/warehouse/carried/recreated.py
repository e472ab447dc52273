"""Views and routines that read tables: how each is dropped, and made again as it was."""

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.savepoints import savepoint
from totes.sqlstate import (
    DEPENDENT_OBJECTS_STILL_EXIST,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    is_of_class,
    primary_message,
)
from totes.warehouse.grants import ROUTINE, VIEW, GrantsAndComments, ObjectKind, oid_of, revoke_all

logger = logging.getLogger(__name__)

_VIEWS = """
    SELECT pg_class.oid, nspname, relname, '', relowner::regrole::text, pg_get_userbyid(relowner) = current_user,
        pg_has_role(relowner, %(may_be)s), has_schema_privilege(relowner, relnamespace, 'CREATE'),
        relpersistence = 't', pg_get_viewdef(pg_class.oid), array_to_string(reloptions, ', ')
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = ANY(%(oids)s::oid[])
"""

_ROUTINES = """
    SELECT pg_proc.oid, nspname, proname, pg_get_function_identity_arguments(pg_proc.oid), proowner::regrole::text,
        pg_get_userbyid(proowner) = current_user, pg_has_role(proowner, %(may_be)s),
        has_schema_privilege(proowner, pronamespace, 'CREATE'), starts_with(nspname, 'pg_temp_'),
        pg_get_functiondef(pg_proc.oid), NULL
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE pg_proc.oid = ANY(%(oids)s::oid[])
"""

_NEW_ROUTINE = """
    SELECT oid FROM pg_proc WHERE pronamespace = %s::regnamespace AND proname = %s
    AND pg_get_function_identity_arguments(oid) = %s
"""

_PUBLIC = re.compile(r"\bpublic\.")
"""What people do not write before a type's name."""

_SET_OPTION = 16_00_00
"""The first version of PostgreSQL in which a member of a role is not always allowed to SET it."""

_OF_THE_STATEMENT = (
    FEATURE_NOT_SUPPORTED,
    DEPENDENT_OBJECTS_STILL_EXIST,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
)
"""SQLSTATE classes of a definition that was right for the old tables and is not for the new ones."""


@dataclass(frozen=True, order=True, kw_only=True)
class Key:
    """A relation by its oid, or a routine."""

    routine: bool
    oid: int


class CatalogEntry(NamedTuple):
    """A view or routine as the catalog has it: a routine has arguments, a view may have options."""

    oid: int
    schema: str
    name: str
    arguments: str
    owner: str
    ours: bool
    may_be: bool
    may_create: bool
    temporary: bool
    definition: str
    options: str | None


@dataclass(frozen=True, kw_only=True)
class OwnView:
    """A view that the code defines.

    Attributes:
        create: makes it.
        columns: its columns.
        may_go: whether it is left out if it does not fit the new tables.
    """

    create: Callable[[Cursor], None]
    columns: frozenset[str]
    may_go: bool = False


@dataclass(frozen=True, kw_only=True)
class RecreatedObject:
    """A view or routine that reads tables.

    Attributes:
        shown: what it is, in words.
        own: the view as the code defines it; None: somebody else has made it.
        hinders: why it cannot be made again, a sentence each.
        kind: whether it is a view or a routine.
        entry: what the catalog says of it.
        grants_and_comments: its grants and comments.
    """

    shown: str
    own: OwnView | None
    hinders: Sequence[str]
    kind: ObjectKind
    entry: CatalogEntry
    grants_and_comments: GrantsAndComments

    def lock(self, cursor: Cursor) -> None:
        """Let nobody read or replace a view until the transaction ends; a function cannot be locked."""
        if self.kind is VIEW:
            # This changes nothing. LOCK TABLE would lock what the view reads, too; the loader may not lock all of that.
            same_owner = sql.SQL("ALTER VIEW IF EXISTS {} OWNER TO {}")
            with self._as_owner(cursor):
                cursor.execute(same_owner.format(self._name, sql.SQL(self.entry.owner)))

    def drop(self, cursor: Cursor) -> None:
        """Drop it."""
        with self._as_owner(cursor):
            cursor.execute(sql.SQL("DROP {} {}").format(sql.SQL(self.kind.word), self._name))

    def make_again(self, cursor: Cursor) -> None:
        """Make it again, with its owner, options, grants and comments.

        Raises:
            ConfigurationError: it does not fit the tables any more.
        """
        try:
            with savepoint(cursor), self._as_owner(cursor):
                self._create(cursor)
        except psycopg2.Error as error:
            if not is_of_class(error, _OF_THE_STATEMENT):
                raise
            if self.own is not None and self.own.may_go:
                logger.warning("the %s does not fit the star any more: %s", self.shown, primary_message(error))
                return
            raise ConfigurationError(
                f"the star tables cannot be replaced: the {self.shown} cannot be made again on the new ones "
                f"({error.pgcode}): {primary_message(error)}; drop it, and make another one afterwards"
            ) from error

    def _create(self, cursor: Cursor) -> None:
        if self.own is not None:
            self.own.create(cursor)
        elif self.kind is VIEW:
            cursor.execute(sql.SQL("CREATE VIEW {} AS ").format(self._name) + sql.SQL(self.entry.definition))
        else:
            # A body that is text was not looked at when the tables were made, and is not now.
            cursor.execute("SET LOCAL check_function_bodies = off")
            cursor.execute(self.entry.definition)
        if self.entry.options:
            cursor.execute(sql.SQL("ALTER VIEW {} SET ({})").format(self._name, sql.SQL(self.entry.options)))
        revoke_all(cursor, self.kind, {self._new_oid(cursor): self._name})
        self.grants_and_comments.put_on(cursor, self._name, None if self.own is None else set(self.own.columns))

    @contextmanager
    def _as_owner(self, cursor: Cursor) -> Iterator[None]:
        """Act as its owner, whose rights the loader may not have otherwise; a rollback after an error ends that."""
        if not self.entry.ours:
            cursor.execute(f"SET LOCAL ROLE {self.entry.owner}")  # as regrole writes it, it is quoted
        yield
        if not self.entry.ours:
            cursor.execute("RESET ROLE")

    def _new_oid(self, cursor: Cursor) -> int:
        if self.kind is VIEW:
            return oid_of(cursor, sql.Identifier(self.entry.schema, self.entry.name))
        schema = sql.Identifier(self.entry.schema).as_string(cursor)
        cursor.execute(_NEW_ROUTINE, (schema, self.entry.name, self.entry.arguments))
        [[oid]] = cursor.fetchall()
        return int(oid)

    @property
    def _name(self) -> sql.Composable:
        name = sql.Identifier(self.entry.schema, self.entry.name)
        return name if self.kind is VIEW else name + sql.SQL(f"({self.entry.arguments})")


def described(
    cursor: Cursor, keys: Collection[Key], own: Mapping[tuple[str, str], OwnView]
) -> dict[Key, RecreatedObject]:
    """Return views and routines as they are now.

    Args:
        cursor: the warehouse.
        keys: the views and routines.
        own: the views that are made as the code defines them, by schema and name.
    """
    may_be = "SET" if cursor.connection.server_version >= _SET_OPTION else "MEMBER"
    recreated = {}
    for kind, query in ((VIEW, _VIEWS), (ROUTINE, _ROUTINES)):
        routine = kind is ROUTINE
        cursor.execute(query, {"may_be": may_be, "oids": [key.oid for key in keys if key.routine is routine]})
        those = [CatalogEntry(*row) for row in cursor.fetchall()]
        grants_and_comments = GrantsAndComments.of(cursor, kind, [entry.oid for entry in those])
        for entry in those:
            shown = f"{'function' if routine else 'view'} {entry.schema}.{entry.name}"
            shown += f"({_PUBLIC.sub('', entry.arguments)})" if routine else ""
            recreated[Key(routine=routine, oid=entry.oid)] = RecreatedObject(
                shown=shown,
                own=None if routine else own.get((entry.schema, entry.name)),
                hinders=list(_hinders(entry, shown)),
                kind=kind,
                entry=entry,
                grants_and_comments=grants_and_comments[entry.oid],
            )
    return recreated


def _hinders(entry: CatalogEntry, shown: str) -> Iterator[str]:
    if entry.temporary:
        yield f"a session's temporary {shown} reads one of them; end that session, or drop it there"
    elif not entry.ours and not entry.may_be:
        yield (
            f"the {shown} of {entry.owner} reads one of them, and the loader may not make it again; "
            f"give it to the loader's role (ALTER ... OWNER TO, once that may create in schema {entry.schema}), "
            "or drop it and make it again afterwards"
        )
    elif not entry.may_create:
        yield (
            f"the {shown} reads one of them, and its owner may not make it again; "
            f"GRANT CREATE ON SCHEMA {entry.schema} TO {entry.owner}, or drop it and make it again afterwards"
        )
