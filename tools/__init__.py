"""What ``make run`` and ``make demo`` do: the whole product on one machine, on 127.0.0.1, below one folder."""
