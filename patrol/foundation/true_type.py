"""Which files are fonts with TrueType outlines, told from their first bytes: others cannot be put into a PDF."""

from pathlib import Path

READERS_OWN = "STSong-Light"
"""A font for simplified Chinese that the usual PDF readers have, or fetch: the choice where none is put into the file."""
_OUTLINES = (b"\x00\x01\x00\x00", b"true")
_COLLECTION = b"ttcf"


def is_true_type(path: Path) -> bool:
    """Tell whether a file is a font (.ttf), or a collection (.ttc) whose first font is one, that has TrueType outlines."""
    try:
        with path.open("rb") as file:
            if (head := file.read(4)) == _COLLECTION:
                # Version and number of fonts, then where the first one begins (OpenType 1.9, "TTC Header").
                file.seek(12)
                file.seek(int.from_bytes(file.read(4)))
                head = file.read(4)
    except OSError:
        return False
    return head in _OUTLINES
