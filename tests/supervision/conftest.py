"""The valley of the issues' tests."""

from tests.issues.conftest import pictures, valley  # noqa: F401 - fixtures
