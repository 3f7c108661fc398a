"""What the system itself gives as a reason: it stands in histories in Chinese, part of their hashes, and is read in either language. Pure."""

import re

from patrol.foundation.texts import Text, in_both
from patrol.issues.beside import REFUSE_EXTENSION
from patrol.issues.lifecycle import Verb

LEAD_CHANGED = Text("责任人已变更，原责任人的延期申请不再有效", "The lead changed: the former lead's request no longer counts")
ENDED = Text("此件已办结或合并，延期申请不再有效", "The issue has ended: the request no longer counts")
BY_COMPLAINANT = Text("反映人：{said}\n决定：{reason}", "Complainant: {said}\nDecision: {reason}")
"""Why a case is reopened that somebody called not fixed: the words of that person, and of who decided."""
_BY_COMPLAINANT = re.compile("反映人：(?P<said>.*)\n决定：(?P<reason>.*)", re.DOTALL)


def reason_in_both(verb: str, reason: str) -> Text:
    """Return an entry's reason in both languages, as far as it is the system's; what people wrote stands as they wrote it."""
    if verb == REFUSE_EXTENSION:
        return in_both(reason, LEAD_CHANGED, ENDED)
    if verb == Verb.REOPEN and (found := _BY_COMPLAINANT.fullmatch(reason)):
        return BY_COMPLAINANT.format(**found.groupdict())
    return Text(reason, reason)
