"""Faults by settings: a database or a role is given settings that other sessions may need and totes may not obey."""

from collections.abc import Mapping, Sequence

from tests.faults.scene import Fault, Scene, arrives, stir
from tests.support.databases import session

_WORDS: Sequence[tuple[str, str]] = (
    ("datestyle", "SQL, DMY"),
    ("intervalstyle", "sql_standard"),
    ("bytea_output", "escape"),
    ("search_path", "elsewhere"),
    ("quote_all_identifiers", "on"),
    ("lc_monetary", "C.UTF-8"),
    ("row_security", "off"),
    ("timezone", "Asia/Kathmandu"),
    ("standard_conforming_strings", "off"),
    ("extra_float_digits", "-15"),
    ("client_encoding", "LATIN1"),
    ("default_transaction_isolation", "serializable"),
    ("xmlbinary", "hex"),
    ("array_nulls", "off"),
)
"""How values are written and names are found."""

_LIMITS: Sequence[tuple[str, str]] = (
    ("statement_timeout", "1ms"),
    ("idle_in_transaction_session_timeout", "1ms"),
    ("transaction_timeout", "50ms"),
    ("idle_session_timeout", "200ms"),
    ("tcp_user_timeout", "500ms"),
)
"""How long things may take."""

_READ_ONLY: Sequence[tuple[str, str]] = (("default_transaction_read_only", "on"),)


def _hostile(role: str, settings: Sequence[tuple[str, str]]) -> Fault:
    def happen(scene: Scene) -> None:
        """The settings are there for a run, of the database, of the role, or of both together."""
        stir(scene)
        whose = scene.world.settings_of(role)[scene.number(3)]
        known = _known(scene, settings)
        scene.world.administer(*(f"ALTER {whose} SET {name} = '{word}'" for name, word in known))
        try:
            tick = scene.world.tick()
            idle = scene.world.tick()
        finally:
            scene.world.administer(*(f"ALTER {whose} RESET {name}" for name, _ in known))
        assert tick.succeeded, tick
        assert idle.succeeded, idle
        arrives(scene)

    return happen


def _known(scene: Scene, settings: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that a server of this version has, with values that it takes."""
    with session(scene.world.source) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings")
        names = {name.lower() for (name,) in cursor.fetchall()}
    return [(name, word) for name, word in settings if name in names]


FAULTS: Mapping[str, Fault] = {
    f"the {role}'s settings: {what}": _hostile(role, settings)
    for role in ("source", "warehouse")
    for what, settings in (("words", _WORDS), ("limits", _LIMITS), ("read only", _READ_ONLY))
}
