"""``make run``: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from tools.home import USERS, Home
from tools.product import (
    console,
    first_run,
    follow_others,
    let_others_begin,
    main,
    say,
    show_funnel,
    show_lists,
    start,
    wait_until_asked,
)
from tools.stack import Stack

WHO = {
    "operator": "triggers playbooks; signs nothing",
    "ada": "owner of households and care plans",
    "ben": "owner of businesses and of accounts, ada's delegate",
    "dora": "deputy for accounts, second approver of what ben changed",
    "olu": "approves offers",
    "cleo": "compliance",
    "vic": "may only look",
}


def run(root: Path, port: int) -> int:
    """Starts everything, shows where to click, and serves until it is stopped."""
    home = Home(root)
    with Stack(home, port, say=say) as stack:
        workspace, operator = start(stack, datetime.now(UTC), triggerer=True)
        let_others_begin(operator)
        run_id = first_run(stack, workspace, operator)
        follow_others(stack, operator)
        wait_until_asked(stack, workspace)
        show_funnel(workspace, run_id)
        show_lists(workspace, stack.url)
        _invite(stack.url, home)
        try:
            while True:
                stack.check()
                time.sleep(1)
        except KeyboardInterrupt:
            say("\nstopping what was started")
    say("stopped; everything is kept in", str(root))
    return 0


def _invite(url: str, home: Home) -> None:
    say(f"\nLog in at {url} as")
    for user in USERS:
        say(f"  {user:9} password {home.passwords[user]:14} {WHO[user]}")
    say(
        f"\n1. As ada, open a list's page above: every message as it will go out, and the signing code at the end."
        "\n   As ben, open one of dormant_account_outreach: the review brief of an account, and what may be decided."
        f"\n2. Answer under {url}/required_actions: type the code, answer the review points, choose Sign."
        f"\n3. What is signed goes out at the next full hour of the recipient's working day, into {home.outbox}"
        "\n   (or at once: trigger the DAG send_due_touches as operator)."
        "\n\nCtrl-C stops everything."
    )
    console.file.flush()


if __name__ == "__main__":
    main(run)
