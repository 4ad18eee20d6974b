-- Purpose     a sum of amounts, in whole ten-thousandths, no further from 0 than an amount of the contract can be.
-- Parameters  total: a whole number of any width
-- Grain       one value
-- Why         a thousand amounts may each be taken for meant and their sum still have more than 18 digits: one customer
--             who is worth more than anybody can be must not stop the decisions about all others. What others than
--             DuckDB call it is in sources/dialects.py.
CREATE MACRO within_money(total) AS
    CASE
        WHEN total > 999999999999999999 THEN 999999999999999999
        WHEN total < -999999999999999999 THEN -999999999999999999
        ELSE CAST(total AS BIGINT)
    END
