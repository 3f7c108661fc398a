"""The font of a case file: one of this machine's, of which the file then holds the letters it needs, else the reader's own.

A reader without a Chinese font of its own shows blanks for what is not in the file.
"""

from functools import cache
from pathlib import Path
from threading import Lock

import structlog

from patrol.foundation.true_type import READERS_OWN, is_true_type

log = structlog.get_logger()
_EMBEDDED = "case-file"
_loading = Lock()
# Chinese fonts with TrueType outlines whose licences allow a document to hold them, where distributions put them: WenQuanYi
# Micro Hei (Apache-2.0 or GPL-3 with the font exception), Droid Sans Fallback (Apache-2.0), WenQuanYi Zen Hei (GPL-2 with
# the font exception).
WELL_KNOWN = tuple(Path("/usr/share/fonts") / name for name in (
    "truetype/wqy/wqy-microhei.ttc", "wqy-microhei/wqy-microhei.ttc", "wqy-microhei-fonts/wqy-microhei.ttc",
    "truetype/droid/DroidSansFallbackFull.ttf", "google-droid-sans-fonts/DroidSansFallbackFull.ttf",
    "truetype/wqy/wqy-zenhei.ttc", "wqy-zenhei/wqy-zenhei.ttc", "wqy-zenhei-fonts/wqy-zenhei.ttc",
))  # fmt: skip
_CHINESE = "河"


def font_file(setting: str) -> Path | None:
    """Return the file of the font that is embedded: the one that is set, else the first well-known one, None for neither."""
    if setting == READERS_OWN:
        return None
    return Path(setting) if setting else next((path for path in WELL_KNOWN if is_true_type(path)), None)


def tell_font(setting: str) -> None:
    """Log which font case files hold."""
    path = font_file(setting)
    log.info("font_of_case_files", font=str(path or READERS_OWN), in_the_file=path is not None)


def font_named(path: Path | None) -> str:
    """Return the name under which reportlab knows the font of a file; the reader's own for None and for one that cannot be used."""
    # Two first case files at once would put one font into the place of the other while a file is drawn with that.
    with _loading:
        return _loaded(path)


@cache
def _loaded(path: Path | None) -> str:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - only who prints a case pays for the library
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    if path is not None:
        try:
            font = TTFont(_EMBEDDED, str(path))
        except Exception as error:  # noqa: BLE001 - a broken font makes reportlab raise anything, and no case file may fail for it
            log.warning("case_file_font_unusable", file=str(path), error=repr(error))
        else:
            if ord(_CHINESE) in font.face.charToGlyph:
                pdfmetrics.registerFont(font)
                return _EMBEDDED
            log.warning("case_file_font_unusable", file=str(path), error="it has no Chinese letters")
    pdfmetrics.registerFont(UnicodeCIDFont(READERS_OWN))
    return READERS_OWN
