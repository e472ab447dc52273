"""Events that change what orders refer to; whoever does it stamps it, or forgets to."""

from dataclasses import asdict

from workbench.simulator.desk import Desk


def new_design(desk: Desk) -> None:
    """Something new to print on a tote."""
    desk.insert("design", asdict(desk.names.design(desk.now.year)))


def new_staff(desk: Desk) -> None:
    """Somebody joins the shop."""
    person = desk.names.person()
    desk.insert(
        "staff", {**asdict(person), "email_address": person.email_address, "department_id": desk.pick("department")}
    )


def department_renamed(desk: Desk) -> None:
    """A department gets another name."""
    department = desk.pick("department")
    name = desk.names.department(other_than=str(desk.value("department", department, "department_name")))
    desk.update("department", department, {"department_name": name}, stamped=desk.happens(0.5))


def address_changed(desk: Desk) -> None:
    """Somebody moves."""
    desk.update("address", desk.pick("address"), asdict(desk.names.address()), stamped=desk.happens(0.5))


def counterparty_renamed(desk: Desk) -> None:
    """A company gets another name."""
    desk.update(
        "counterparty",
        desk.pick("counterparty"),
        {"counterparty_legal_name": desk.names.company()},
        stamped=desk.happens(0.5),
    )
