"""Forms and query strings as the dictionaries that schemas read: nothing that was sent is passed over silently."""

from typing import Any

import marshmallow as ma
from werkzeug.datastructures import FileStorage, MultiDict

from patrol.foundation import json_safety
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text

_REPEATED = Text("参数 {name} 只能出现一次", "The parameter {name} may come only once")
_ONCE = Text("只能出现一次", "This may come only once")


def form_values(form: MultiDict[str, str], files: MultiDict[str, FileStorage], schema: ma.Schema) -> dict[str, Any]:
    """Return a multipart form as the dictionary that the same JSON body would be.

    Structured fields (objects, lists) come as JSON text, lists of scalars also as a repeated field; files stand under
    their field's name, as a list where the schema wants one. An empty text means that the field was left out. What comes
    twice and is no list is refused (422), as nobody can tell which of both was meant.
    """
    values: dict[str, Any] = {}
    fields = fields_of(schema)
    for name in form:
        texts = [text for text in form.getlist(name) if text != ""]
        for text in texts:
            json_safety.refuse_unsafe_text(text)
        if texts:
            values[name] = _form_value(name, texts, fields.get(name))
    for name in files:
        field, sent = fields.get(name), [file for file in files.getlist(name) if file.filename or file.content_length]
        if sent:
            values[name] = sent if isinstance(field, ma.fields.List) else _only(name, sent)
    return values


def fields_of(schema: ma.Schema) -> dict[str, ma.fields.Field[Any]]:
    """Return a schema's fields by the names that callers know."""
    return {field.data_key or name: field for name, field in schema.fields.items()}


def refuse_repeated(name: str, values: list[Any]) -> None:
    """Raise Invalid (422) where something came more than once of which only one can be meant."""
    if len(values) > 1:
        raise Invalid(_REPEATED.format(name=name), errors={name: [_ONCE]})


def _only(name: str, values: list[Any]) -> Any:
    refuse_repeated(name, values)
    return values[0]


def _form_value(name: str, texts: list[str], field: ma.fields.Field[Any] | None) -> Any:
    if isinstance(field, ma.fields.List) and not texts[0].lstrip().startswith("["):
        return texts
    if isinstance(field, ma.fields.List | ma.fields.Nested | ma.fields.Mapping):
        return json_safety.parse_json(_only(name, texts).encode())
    return _only(name, texts)
