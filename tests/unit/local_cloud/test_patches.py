"""A place of moto that has moved, and one that moto has by itself now, stop the endpoint with their names."""

import pytest

from local_cloud.endpoint.patches import add, made, patch


class Backend:
    """A class that is moto's."""

    def create(self) -> None:
        """Create."""


Backend.__module__ = "moto.odd.models"


def test_a_patch_is_made_and_remembered_with_its_reason() -> None:
    patch(Backend, "create", len, why="moto makes nothing")
    assert vars(Backend)["create"] is len
    assert [each.why for each in made() if each.target == "moto.odd.models.Backend.create"] == ["moto makes nothing"]


def test_a_place_that_moto_no_longer_has_is_named() -> None:
    with pytest.raises(AttributeError, match=r"no moto\.odd\.models\.Backend\.make any more \(moto makes nothing\)"):
        patch(Backend, "make", len, why="moto makes nothing")


def test_what_moto_has_by_itself_now_is_not_added() -> None:
    with pytest.raises(AttributeError, match=r"has moto\.odd\.models\.Backend\.create by itself now"):
        add(Backend, "create", len, why="moto makes nothing")


def test_an_addition_may_be_made_again() -> None:
    for _ in range(2):
        add(Backend, "delete", len, why="moto deletes nothing")
