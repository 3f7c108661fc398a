"""Why the system ended a patrol in its person's place: the codes that `end_reason` holds, and what people read."""

from patrol.foundation.texts import Text

NO_FIXES = "no_fixes"
END_REASONS = {
    NO_FIXES: Text(
        "长时间没有新的数据，由系统结束；本人补报结束时间后以本人为准",
        "Nothing new came for long, so the system ended it; the person's own end will take its place",
    ),
}
