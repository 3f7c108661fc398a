"""The demo district: a fictional Qingxi District as plain data, made from a seed; it knows no database and no web."""
