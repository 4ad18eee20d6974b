"""What came back from people we wrote to, and what it means: a no first, then an exit, in the end no response."""

from reactivation.outcomes.exits import Exit, Fact, exit_of, exit_of_no
from reactivation.outcomes.final import final_exit
from reactivation.outcomes.noes import noes
from reactivation.outcomes.returns import events_of, facts_of

__all__ = ["Exit", "Fact", "events_of", "exit_of", "exit_of_no", "facts_of", "final_exit", "noes"]
