"""What came back from people we wrote to, and what it means: a no first, then an exit, in the end no response."""

from reactivation.outcomes.exits import UNDELIVERED, Exit, Fact, exit_of, exit_of_all, exit_of_no, stops
from reactivation.outcomes.final import final_exit
from reactivation.outcomes.noes import No, facts_of_noes, noes, suppressions_of
from reactivation.outcomes.returns import events_of, facts_of, purchases_of

__all__ = [
    "UNDELIVERED", "Exit", "Fact", "No", "events_of", "exit_of", "exit_of_all", "exit_of_no", "facts_of",
    "facts_of_noes", "final_exit", "noes", "purchases_of", "stops", "suppressions_of",
]  # fmt: skip
