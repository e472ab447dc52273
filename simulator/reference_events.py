"""Events that change what orders refer to; whoever does it stamps it, or forgets to."""

from dataclasses import asdict

from simulator.event_context import EventContext


def new_design(context: EventContext) -> None:
    """There is a new design."""
    context.insert("design", asdict(context.names.design(context.now.year)))


def new_staff(context: EventContext) -> None:
    """Somebody joins the shop."""
    person = context.names.person()
    context.insert(
        "staff", {**asdict(person), "email_address": person.email_address, "department_id": context.pick("department")}
    )


def department_renamed(context: EventContext) -> None:
    """A department gets another name."""
    department = context.pick("department")
    name = context.names.department(other_than=str(context.value("department", department, "department_name")))
    context.update("department", department, {"department_name": name}, stamped=context.happens(0.5))


def address_changed(context: EventContext) -> None:
    """Somebody moves."""
    context.update("address", context.pick("address"), asdict(context.names.address()), stamped=context.happens(0.5))


def counterparty_renamed(context: EventContext) -> None:
    """A company gets another name."""
    context.update(
        "counterparty",
        context.pick("counterparty"),
        {"counterparty_legal_name": context.names.company()},
        stamped=context.happens(0.5),
    )
