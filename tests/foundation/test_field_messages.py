"""Every message that marshmallow's fields and validators can give has Chinese words."""

import marshmallow as ma
import pytest

from patrol.foundation.field_messages import translated

FIELDS = (ma.fields.String, ma.fields.Integer, ma.fields.Float, ma.fields.Boolean, ma.fields.UUID, ma.fields.AwareDateTime,
          ma.fields.Date, ma.fields.Dict)


@pytest.mark.parametrize("field", FIELDS)
def test_wrong_values_of_every_field(field):
    for value in (object(), None, "rubbish", [], float("nan")):
        try:
            field().deserialize(value)
        except ma.ValidationError as error:
            for message in error.messages:
                assert translated(message, "zh") != message, message
                assert translated(message, "en") == message


@pytest.mark.parametrize(
    ("validator", "value"),
    [(ma.validate.Length(1, 5), ""), (ma.validate.Length(max=2), "abc"), (ma.validate.Length(min=2), "a"),
     (ma.validate.Range(0, 1), 2), (ma.validate.Range(min=0), -1), (ma.validate.Range(max=0), 1),
     (ma.validate.Range(max=1, max_inclusive=False), 1), (ma.validate.Predicate("strip"), ""), (ma.validate.NoneOf(["a"]), "a"),
     (ma.validate.OneOf(["a", "b"]), "c"), (ma.validate.Regexp("x"), "y"), (ma.validate.Length(equal=3), "a")],
)
def test_every_validator(validator, value):
    with pytest.raises(ma.ValidationError) as error:
        validator(value)
    assert translated(str(error.value.messages[0]), "zh") != str(error.value.messages[0])


def test_missing_and_unknown_fields():
    schema = ma.Schema.from_dict({"a": ma.fields.String(required=True)})()
    with pytest.raises(ma.ValidationError) as error:
        schema.load({"b": 1})
    assert {translated(m, "zh") for messages in error.value.messages.values() for m in messages} == {"缺少必填项。", "未知字段。"}
