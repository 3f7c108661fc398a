"""The demo district: a fictional Qingxi District as plain data, made from a seed, and how it is played into the database by the rooms' own actions."""
