import re

import numpy as np
import pytest

from simulator.names import Names, Person


def _names(seed: int = 1) -> Names:
    return Names(np.random.Generator(np.random.PCG64(seed)))


def test_the_same_generator_draws_the_same_names() -> None:
    def some(names: Names) -> list[object]:
        return [names.person(), names.company(), names.address(), names.design(2024), names.item_code()]

    assert some(_names()) == some(_names())
    assert some(_names()) != some(_names(2))


@pytest.mark.parametrize(
    ("first", "last", "address"),
    [("Zoë", "O'Dowd", "zoe.odowd@totes.example"), ("Ada", "O'Malley-Finch", "ada.omalleyfinch@totes.example")],
)
def test_an_email_address_is_plain_whatever_the_name(first: str, last: str, address: str) -> None:
    assert Person(first_name=first, last_name=last).email_address == address


def test_an_address_is_as_asked() -> None:
    names = _names()
    assert all(names.address(second_line=False).address_line_2 is None for _ in range(20))
    assert all(names.address(second_line=True).address_line_2 for _ in range(20))
    assert all(names.address(leading_zero=True).postal_code.startswith("0") for _ in range(20))
    assert not any(names.address(leading_zero=False).postal_code.startswith("0") for _ in range(20))


def test_phones_and_postal_codes_keep_their_zeros() -> None:
    names = _names()
    for address in (names.address() for _ in range(200)):
        assert re.fullmatch(r"\d{4} \d{6}", address.phone)
        assert re.fullmatch(r"\d{5}(-\d{4})?", address.postal_code)


def test_another_name_is_another() -> None:
    names = _names()
    assert "Sales" not in {names.department(other_than="Sales") for _ in range(100)}
    folder = names.design(2024).file_location
    assert folder not in {names.folder(other_than=folder) for _ in range(100)}


def test_a_design_lies_in_a_file_of_its_name_and_the_year_before() -> None:
    design = _names().design(2024)
    assert re.fullmatch(rf"{design.design_name.lower()}-2023\d{{4}}-[a-z0-9]{{4}}\.json", design.file_name)


def test_item_codes_are_seven_letters_and_digits() -> None:
    codes = _names().item_codes(50)
    assert len(set(codes)) == 50
    assert all(re.fullmatch(r"[A-Z0-9]{7}", code) for code in codes)
    assert _names().item_codes(0) == []
