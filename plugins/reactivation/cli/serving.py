"""The command that serves the outside: recipients' links and providers' webhooks."""

from __future__ import annotations

import argparse

from reactivation.cli.commands import OK
from reactivation.cli.output import say


def public(arguments: argparse.Namespace) -> int:
    from reactivation.orchestration.connections import settings_from_environment, webhooks_from_environment
    from reactivation.public import create_app, serve
    from reactivation.steps.workspace import OnDemand, open_workspace

    settings, webhooks = settings_from_environment(), webhooks_from_environment()
    rooms = OnDemand(lambda: open_workspace(settings))
    try:
        app = create_app(settings, rooms, webhooks)
        say(f"webhooks switched on: {', '.join(one.provider for one in webhooks) or 'none'}")
        serve(app, host=arguments.host, port=arguments.port, behind=arguments.behind, say=say)
    finally:
        rooms.close()
    return OK
