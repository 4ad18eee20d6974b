"""Who, why, how and what next: pure functions from columns to columns, without database, network, file or clock.

``candidates.decide_facts`` is the whole of it; ``gates.LADDER`` is the ladder, ``rules`` the data it is judged by, and
``decisions.DECISIONS`` what comes out. ``sequence``, ``intake`` and ``timing`` turn decisions into a calendar.
"""
