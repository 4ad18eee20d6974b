-- Purpose     an amount in whole ten-thousandths.
-- Parameters  amount: DECIMAL(18, 4)
-- Grain       one value
-- Why         from 10,000 million on the product needs more than 18 digits; made with 22 for every amount it would take
--             twenty times as long. What others than DuckDB call it is in sources/dialects.py.
CREATE MACRO ten_thousandths(amount) AS
    CASE
        WHEN abs(amount) < 10000000000 THEN CAST(amount * 10000 AS BIGINT)
        ELSE CAST(CAST(amount AS DECIMAL(22, 4)) * 10000 AS BIGINT)
    END
