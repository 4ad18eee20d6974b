"""Win back dormant customers, and send nothing that a named owner did not approve.

Rooms, in the order of the data: contract, playbooks, science, policy, evidence, ledger, the siblings
(sources, readiness, messages, approvals, delivery, outcomes, measures), steps, orchestration and the doors.
"""

__version__ = "0.1.0"
