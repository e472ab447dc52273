"""A source's history, drawn by a seed: writers side by side, whose transactions end when chance says so."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from simulator.event_context import EventContext, NothingToDo
from simulator.events import any_event
from totes.errors import UserError

WRITERS = 3

HOSTILE = (
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a\r\nb\nc\rd\te",
    "'); DROP TABLE fact_payment; --",
    "\"; COPY (SELECT 1) TO PROGRAM 'true'; --",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd",
    '","",\\"x',
    "👜 \u202e e\u0301",
    "\x01\x02\x7f",
    "x" * 1_000_000,
)

ODD_DATES = ("TBC", "", "2024-02-30", "31/12/2024", "0000-01-01", "2024-2-9", "10000-01-01", "2024-12-31")
ODD_STAMPS = ("infinity", "-infinity", "0044-03-15 12:00:00 BC", "12000-01-01 00:00:00", "1999-12-31 23:59:59.999")


def hostile_text(cursor: Cursor, generator: np.random.Generator) -> None:
    """An address of texts that other tools break on."""
    text = HOSTILE[int(generator.integers(len(HOSTILE)))]
    cursor.execute(
        "INSERT INTO address (address_line_1, address_line_2, district, city, postal_code, country, phone, created_at, "
        "last_updated) VALUES (%(t)s, %(t)s, NULL, %(t)s, %(t)s, %(t)s, '', now(), now())",
        {"t": text},
    )


def odd_date(cursor: Cursor, generator: np.random.Generator) -> None:
    """An order whose agreed date is none, or is one again."""
    cursor.execute(
        "UPDATE sales_order SET agreed_payment_date = %s WHERE sales_order_id = "
        "(SELECT sales_order_id FROM sales_order ORDER BY sales_order_id LIMIT 1 OFFSET %s)",
        [ODD_DATES[int(generator.integers(len(ODD_DATES)))], int(generator.integers(5))],
    )


def odd_stamp(cursor: Cursor, generator: np.random.Generator) -> None:
    """A payment created at a moment that no calendar has, or at an ordinary one again."""
    cursor.execute(
        "UPDATE payment SET created_at = %s WHERE payment_id = "
        "(SELECT payment_id FROM payment ORDER BY payment_id LIMIT 1 OFFSET %s)",
        [ODD_STAMPS[int(generator.integers(len(ODD_STAMPS)))], int(generator.integers(5))],
    )


def burst(cursor: Cursor, generator: np.random.Generator) -> None:
    """Many rows in one millisecond."""
    cursor.execute(
        "INSERT INTO design (design_name, file_location, file_name, created_at, last_updated) "
        "SELECT 'burst', '/', n::text, '2024-01-01', '2024-01-01' FROM generate_series(1, %s) AS n",
        [int(generator.integers(2, 60))],
    )


def come_again(cursor: Cursor, generator: np.random.Generator) -> None:
    """A payment that was deleted comes again, by its own key, with other content or the same."""
    cursor.execute(
        "INSERT INTO payment SELECT (jsonb_populate_record(NULL::payment, row || %s::jsonb)).* FROM audit.log AS gone "
        "WHERE table_name = 'payment' AND is_deleted AND NOT EXISTS (SELECT FROM payment WHERE payment_id = key) "
        "ORDER BY entry DESC LIMIT 1",
        ['{"payment_amount": 7.25}' if generator.random() < 0.5 else "{}"],
    )


def delete_payments(cursor: Cursor, generator: np.random.Generator) -> None:
    """A few payments go."""
    cursor.execute(
        "DELETE FROM payment WHERE payment_id IN (SELECT payment_id FROM payment ORDER BY payment_id DESC LIMIT %s)",
        [int(generator.integers(1, 4))],
    )


def change_key(cursor: Cursor, generator: np.random.Generator) -> None:
    """A payment gets another key."""
    cursor.execute(
        "UPDATE payment SET payment_id = payment_id + 1000000 WHERE payment_id = "
        "(SELECT payment_id FROM payment WHERE payment_id < 1000000 ORDER BY payment_id LIMIT 1 OFFSET %s)",
        [int(generator.integers(9))],
    )


def what_the_star_has_not(cursor: Cursor, generator: np.random.Generator) -> None:
    """A column is edited that no star table has: the row is captured, and is no version."""
    cursor.execute(
        "UPDATE payment SET company_ac_number = company_ac_number # 1 WHERE payment_id %% 5 = %s",
        [int(generator.integers(5))],
    )


ODD_EVENTS: tuple[Callable[[Cursor, np.random.Generator], None], ...] = (
    hostile_text,
    odd_date,
    odd_stamp,
    burst,
    come_again,
    delete_payments,
    change_key,
    what_the_star_has_not,
)


class History:
    """The shop's writers."""

    def __init__(self, source: Callable[[], str], generator: np.random.Generator) -> None:
        self._source = source
        self._generator = generator
        self._writers: list[Connection | None] = [None] * WRITERS
        self._prepared: list[str] = []
        self._moment = dt.datetime(2024, 3, 4, 9, tzinfo=dt.UTC)
        self.clock_is_off = dt.timedelta()

    def draw_by(self, generator: np.random.Generator) -> None:
        """Let another generator decide from now on."""
        self._generator = generator

    def go_on(self, steps: int) -> None:
        """Let so many things happen; some of what is written stays open."""
        for _ in range(steps):
            self._step()

    def settle(self) -> None:
        """End every transaction that is open, prepared ones too."""
        for number in range(WRITERS):
            self._end(number, commit=self._happens(0.8))
        while self._prepared:
            self._end_prepared()

    def close(self) -> None:
        """End all, and the connections."""
        self.settle()
        for writer in self._writers:
            if writer is not None:
                writer.close()
        self._writers = [None] * WRITERS

    def _step(self) -> None:
        number = int(self._generator.integers(WRITERS))
        try:
            connection = self._writer(number)
            self._write(connection)
            if self._happens(0.7):
                self._end(number, commit=self._happens(0.9))
            elif self._happens(0.1):
                self._prepare(connection)
        except (NothingToDo, UserError, psycopg2.Error):
            # The shop could not have it: a lock that another writer holds, a row that is gone, a server that is down.
            self._end(number, commit=False)
        if self._prepared and self._happens(0.3):
            self._end_prepared()

    def _write(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            if self._happens(0.25):
                ODD_EVENTS[int(self._generator.integers(len(ODD_EVENTS)))](cursor, self._generator)
            else:
                any_event(self._generator).act(EventContext(cursor, self._generator, self._clock))

    def _prepare(self, connection: Connection) -> None:
        name = f"prepared_{int(self._generator.integers(1_000_000_000))}"
        with connection.cursor() as cursor:
            cursor.execute("PREPARE TRANSACTION %s", [name])
        connection.rollback()
        self._prepared.append(name)

    def _end_prepared(self) -> None:
        name = self._prepared.pop(0)
        connection = psycopg2.connect(self._source())
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("COMMIT PREPARED %s" if self._happens(0.7) else "ROLLBACK PREPARED %s", [name])
        except psycopg2.errors.UndefinedObject:
            pass  # it was another database's, before that was put back
        finally:
            connection.close()

    def _end(self, number: int, *, commit: bool) -> None:
        writer = self._writers[number]
        if writer is None:
            return
        try:
            if commit:
                writer.commit()
            else:
                writer.rollback()
        except psycopg2.Error:
            writer.close()
        if writer.closed:
            self._writers[number] = None

    def _writer(self, number: int) -> Connection:
        writer = self._writers[number]
        if writer is None:
            writer = psycopg2.connect(self._source(), options="-c lock_timeout=30ms -c deadlock_timeout=10ms")
            self._writers[number] = writer
        return writer

    def _clock(self) -> dt.datetime:
        self._moment += dt.timedelta(milliseconds=int(self._generator.integers(400)))
        return (self._moment + self.clock_is_off).replace(tzinfo=None)

    def _happens(self, probability: float) -> bool:
        return bool(self._generator.random() < probability)
