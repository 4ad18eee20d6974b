"""What the figures say and how sure one can be of it: numpy and scipy on whole columns, and nothing else.

Who will come back: ``scoring.score`` (of ``histories``, by ``purchasing`` models that ``fitting`` fits and ``backtest``
judges, else by ``hazards``), ``subscriptions`` by contract, ``spending`` and ``worth`` in money, ``seasonality``. What
an incentive may cost and must bring: ``margins``, ``response``. Whether to stop: ``sequential`` for variants, ``harm``
for complaints. What it added: ``incrementality`` over ``proportions``, ``survival`` for the time it took,
``attribution``. docs/science.md has each formula with its source, what was measured, and the limits.
"""
