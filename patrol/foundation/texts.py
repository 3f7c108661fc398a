"""Texts that people read, in Chinese and English side by side, and the choice between the two."""

from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages; `{name}` placeholders are filled by `format`."""

    zh: str
    en: str

    def format(self, **values: object) -> "Text":
        """Return the text with its placeholders filled; a `Text` among the values gives its own language's words."""
        zh = {name: value.zh if isinstance(value, Text) else value for name, value in values.items()}
        en = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
        return Text(self.zh.format(**zh), self.en.format(**en))

    def in_language(self, language: str) -> str:
        """Return the words for `language`, "zh" or "en"."""
        return self.en if language == "en" else self.zh


def in_both(stored: str, *texts: Text) -> Text:
    """Return what the system stored in Chinese in both languages, as the one of `texts` that it is; any other stands as it is."""
    return next((text for text in texts if text.zh == stored), Text(stored, stored))


NOTHING_WRITTEN = Text("以上为试运行，没有写入或删除任何数据", "This was a dry run: nothing was written or removed")
"""The last line of each command's dry run."""
