"""``make demo``: the whole product without a person, on a given clock; exits 0 when the books balance.

With ``PURCHASES`` (a file of real purchases) and ``NOW`` (a working hour of its customers within a day of the history's
end) the company is made of that history instead of the sample.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tools import books, signers
from tools.home import Home, LocalError
from tools.product import first_run, follow, main, say, show_funnel, show_lists, start, wait_until_asked
from tools.stack import Stack

#: A Tuesday, eleven in the morning where the sample company is. Always the same, so every demo decides the same.
NOW = datetime(2026, 11, 24, 11, 0, tzinfo=ZoneInfo("Europe/London"))


def demo(root: Path, port: int) -> int:
    """Snapshot to outbox with scripted signers; ``LocalError`` says what does not add up."""
    home, now = Home(root / "demo"), _clock(os.environ)
    purchases = Path(os.environ["PURCHASES"]).absolute() if os.environ.get("PURCHASES") else None
    with Stack(home, port, say=say, fresh=True, overrides={"REACTIVATION_NOW": now.isoformat()}) as stack:
        workspace, operator = start(stack, now, purchases=purchases)
        run_id = first_run(stack, workspace, operator)
        wait_until_asked(stack, workspace)
        show_lists(workspace, stack.url)
        say("ada signs, ben signs some and holds the rest, olu rejects")
        answered = signers.answer_all(stack, workspace, home, operator)
        say("answered:", ", ".join(f"{user} {lists}" for user, lists in sorted(answered.items())))
        say("sending what is due, signed and still allowed")
        follow(stack, operator, "send_due_touches", operator.trigger("send_due_touches"))
        show_funnel(workspace, run_id)
        wrong = books.reconcile(workspace, run_id)
        if wrong:
            raise LocalError("the books do not balance:\n  " + "\n  ".join(wrong))
    say(f"the books balance; the messages are in {home.outbox}")
    return 0


def _clock(environment: Mapping[str, str]) -> datetime:
    text = environment.get("NOW")
    if not text:
        return NOW
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None:
        raise LocalError(f"NOW={text} is no instant; write for example 1998-07-01T19:00+00:00")
    return given


if __name__ == "__main__":
    main(demo)
