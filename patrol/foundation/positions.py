"""Positions as devices send them: degrees in a declared datum, an accuracy, kept raw beside WGS 84."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Datum, OutsideDatum, to_wgs84
from patrol.foundation.numbers import PlainFloat

LARGEST_ACCURACY_M = 100_000.0


@dataclass(frozen=True)
class Position:
    """A place in WGS 84 degrees, with what the device sent (`raw_*` in `datum`) and its accuracy in metres, if known."""

    latitude: float
    longitude: float
    raw_latitude: float
    raw_longitude: float
    datum: Datum
    accuracy_m: float | None

    def columns(self) -> dict[str, Any]:
        """Return the values of the table columns that hold a position."""
        return {
            "latitude": self.latitude, "longitude": self.longitude, "raw_latitude": self.raw_latitude,
            "raw_longitude": self.raw_longitude, "datum": self.datum.value, "accuracy_m": self.accuracy_m,
        }


class PositionIn(ma.Schema):
    """The fields of a position in a request."""

    latitude = PlainFloat(required=True, validate=ma.validate.Range(-90, 90), metadata={"example": 29.60312})
    longitude = PlainFloat(required=True, validate=ma.validate.Range(-180, 180), metadata={"example": 119.80745})
    datum = ma.fields.Enum(Datum, by_value=True, load_default=Datum.WGS84, metadata={"example": "wgs84"})
    accuracy_m = PlainFloat(
        load_default=None, allow_none=True, validate=ma.validate.Range(0, LARGEST_ACCURACY_M), metadata={"example": 12.0}
    )


class PositionOut(ma.Schema):
    """The fields of a position in an answer: always WGS 84; `raw` only where the device sent something else."""

    latitude = ma.fields.Float(required=True, metadata={"example": 29.60312})
    longitude = ma.fields.Float(required=True, metadata={"example": 119.80745})
    accuracy_m = ma.fields.Float(required=True, allow_none=True, metadata={"example": 12.0})
    raw = ma.fields.Dict(metadata={"description": "What the device sent, when its datum is not WGS 84.",
                                   "example": {"latitude": 29.6, "longitude": 119.81, "datum": "gcj02"}})


def position_of(data: Mapping[str, Any]) -> Position:
    """Return the position in loaded `PositionIn` data. Raises Invalid (422) for a place outside the declared datum."""
    datum = data.get("datum", Datum.WGS84)
    try:
        latitude, longitude = to_wgs84(data["latitude"], data["longitude"], datum)
    except OutsideDatum as error:
        raise Invalid(error.text, errors={"datum": [error.text]}) from error
    return Position(latitude, longitude, data["latitude"], data["longitude"], datum, data.get("accuracy_m"))


def shown_position(row: Any) -> dict[str, Any]:
    """Return the members of an answer that tell the position of a row with the columns of `Position`."""
    shown = {"latitude": row.latitude, "longitude": row.longitude, "accuracy_m": row.accuracy_m}
    if row.datum != Datum.WGS84:
        shown["raw"] = {"latitude": row.raw_latitude, "longitude": row.raw_longitude, "datum": row.datum}
    return shown
