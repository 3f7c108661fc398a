"""The compact description of the demo district, made once for all tests that only read it."""

from datetime import date

import pytest

from patrol.demo.landscape import landscape
from patrol.demo.positions import Waterside
from patrol.demo.residents import residents
from patrol.demo.stories import stories

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="session")
def land():
    return landscape()


@pytest.fixture(scope="session")
def waterside(land):
    return Waterside(land)


@pytest.fixture(scope="session")
def people(land):
    return residents(land, TODAY)


@pytest.fixture(scope="session")
def told(land, people):
    return stories(land, people, TODAY)
