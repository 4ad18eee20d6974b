"""The pool that bounds the dispatchers: its slots are how many work at once on all workers. It is made in Airflow."""

from __future__ import annotations

import os

SENDING = os.environ.get("REACTIVATION_SENDING_POOL") or "default_pool"
