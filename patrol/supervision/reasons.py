"""Why a spot check is to be done, in both languages."""

from patrol.foundation.texts import Text, in_both
from patrol.supervision import risk
from patrol.supervision.models import SpotCheck

LOOK_BACK = "look_back"
OF_LOOK_BACK = Text("结案后随机回头看", "Drawn at random after its closing")


def reason_in_both(check: SpotCheck) -> Text:
    """Return the words of who ordered a check, or, of what was drawn, the system's, which are stored in Chinese."""
    if check.draw_id is None:
        return Text(check.reason, check.reason)
    return in_both(check.reason, OF_LOOK_BACK) if check.kind == LOOK_BACK else risk.reason_in_both(check.reason)
