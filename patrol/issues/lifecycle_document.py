"""`docs/lifecycle.md`, made from the table of the lifecycle and the default deadlines."""

from patrol.issues.categories import SEVERITY_NAME, Severity
from patrol.issues.deadlines import DEFAULT_LIMITS, STAGE_TEXT, Stage, amount_text
from patrol.issues.grounds import DECLINE_GROUNDS, GROUNDS
from patrol.issues.lifecycle import (
    ENDED,
    LEAD_WHERE_NOBODY_LEADS,
    STATE_NAME,
    STATE_PUBLIC_TEXT,
    STEPS,
    WHO_NAME,
    State,
    Step,
    Verb,
)

_NOTES = (
    "", "Who handled it: lead, co-handlers, who rectified, whoever took a step of the work (start, progress, rectify, a part), and whoever "
    "acted for one of them by a delegation, or had one of them act, on any day since the dispatch, and so on along the chain. The decision on reopening and spot checks "
    "go by the same rule; a spot check is not for whoever verified or closed the issue, either.",
    "", "Only who could sign its closing, the district's chief, changes the severity of a `major` issue (not F) to another, so that the signature is not passed by: "
    "the office that accepts or dispatches it names that chief in `approved_by`, who is told of it; without a name it is 403, with one who cannot sign it 422.",
    "", "Where no chief of the district can sign, since none is appointed or each worked on the issue, the chief of the next level up does, "
    "and where there is none either a supervisor over the place. Whoever can sign approves of `suspend` (`approved_by`), or takes it. "
    "Where the office names nobody, the first of them is told of it; for a `major` issue one is named. A charge (F) needs no approval.",
    "", "A `verify` or `close` while there are serious findings on the proof, on photos brought since the cure was last reported, keeps them in its entry (`judged`); "
    "without a `note` on how they were checked it answers with a warning. Nothing is refused on suspicion.",
    "", "A `progress` with `is_plan: true` is the plan of the cure, which the lead reports, in `note` and photos; what is only dispatched is begun first (`start`).",
    "", "A severity lower than the issue's needs a `reason` or a `note`, and so does, once it is accepted, another severity (a graver one has more time) "
    "or category that moves the due date later; a merging that raises it always brings its `reason`. "
    "Dispatching anew, until the issue is reopened, names no later `due_at` than the one that stands.",
    "", "A `due_at` later than the date by policy needs a `reason`, and lies no further ahead than twice the limit counted from the dispatch; "
    "a review of the ledger lies at most 366 days ahead.",
    "", "A charge against a chief (F) lies in the region above that chief, and is handled by people of that region or a larger one; the accused never sees it. "
    "It stays a charge, and is passed on to its region or a larger one only: one that is none, or is about another chief, is rejected and reported anew. "
    "What was merged into it is part of it, with an entry of its own (`join_charge`), and stays a charge if the merging is undone.",
)  # fmt: skip


def _brings(step: Step) -> str:
    parts = [f"`{name}`" for name in step.must]
    if step.one_of:
        parts.append(" or ".join(f"`{name}`" for name in step.one_of))
    return ", ".join([*parts, *(f"`{name}?`" for name in step.may)])


def _when(step: Step) -> str:
    hours = int(step.within.total_seconds() // 3600) if step.within else 0
    said = ["once"] if step.once else []
    return ", ".join([*said, *([f"within {hours} hours of the {step.undoes or Verb.DISPATCH}"] if hours else [])])


def _to(step: Step) -> str:
    if step.undoes:
        return f"where `{step.undoes}` was taken"
    if step.undispatched:
        return f"`{step.target}`; `{step.undispatched}` where nobody was put in charge yet"
    return f"`{step.target}`" if step.target else "unchanged"


def _held_by(step: Step) -> str:
    return "; ".join([WHO_NAME[step.who].en, *(["the system by policy"] if step.by_system else []), *filter(None, [_when(step)])])


def _row_of(step: Step) -> str:
    cells = (
        f"`{step.verb}`",
        step.name.zh,
        ", ".join(f"`{state}`" for state in State if state in step.sources),
        _to(step),
        " / ".join(f"`{permission}`" for permission in (step.needs, step.needs_for_major) if permission),
        _held_by(step),
        _brings(step),
        step.due,
    )
    return f"| {' | '.join(cells)} |"


def _rows_of_limits() -> list[str]:
    limits = {(limit.severity, limit.stage): amount_text(limit).en for limit in DEFAULT_LIMITS if not limit.category}
    rows = [
        f"| `{severity}` | {SEVERITY_NAME[severity].zh} | {' | '.join(limits.get((severity, stage), '—') for stage in Stage)} |"
        for severity in Severity
    ]
    return [f"| Severity | 名称 | {' | '.join(STAGE_TEXT[stage].en for stage in Stage)} |", f"{'|---' * (2 + len(Stage))}|", *rows]


def lifecycle_document() -> str:
    """Return `docs/lifecycle.md`: the states, a diagram (mermaid), the steps, the grounds of rejection and the deadlines."""
    lines = [
        "# The life of an issue", "",
        "Generated from `patrol/issues/lifecycle.py`. A field with `?` may be left out.", "",
        "```mermaid", "stateDiagram-v2", "    [*] --> submitted",
    ]  # fmt: skip
    for step in STEPS:
        sources = [state for state in State if state in step.sources]
        lines += [
            f"    {state} --> {target}: {step.verb} {step.name.zh}" for state in sources for target in step.targets_from(state)
        ]
    reached = {State.SUBMITTED, *(step.target for step in STEPS)}
    lines += [f"    {state} --> [*]" for state in State if state in ENDED & reached]
    lines += ["```", "", "## States", "", "| State | 名称 | Open | What a citizen reads |", "|---|---|---|---|"]
    for state in State:
        is_open = "no" if state in ENDED else "yes"
        lines.append(f"| `{state}` | {STATE_NAME[state].zh} | {is_open} | {STATE_PUBLIC_TEXT[state].en} |")
    unreached = ", ".join(f"`{state}`" for state in State if state not in reached) or "none"
    lines += ["", f"States to which no step leads in this version: {unreached}.", "", "## Steps", ""]
    lines += ["| Step | 名称 | From | To | Permission | Held by | Brings | Deadline |", "|---" * 8 + "|"]
    lines += [_row_of(step) for step in STEPS]
    lines += ["", LEAD_WHERE_NOBODY_LEADS.en, *_NOTES]
    lines += ["", "## Grounds of rejection", "", "| Code | 名称 | Name |", "|---|---|---|"]
    lines += [f"| `{code}` | {name.zh} | {name.en} |" for code, name in GROUNDS.items()]
    lines += ["", "## Grounds of declining", "", "| Code | 名称 | Name |", "|---|---|---|"]
    lines += [f"| `{code}` | {name.zh} | {name.en} |" for code, name in DECLINE_GROUNDS.items()]
    lines += ["", "## Default deadlines", "", *_rows_of_limits()]
    return "\n".join(lines) + "\n"
