-- What is an amount of a day worth in the reporting currency? It is divided by the rate of that day, or of the last day before.
--
-- currency_id: the currency of the amount
-- currency: its ISO 4217 code
-- day: the day of the amount
-- reporting_currency: the ISO 4217 code of the currency that amounts are converted into
-- rate: how many units of the currency one unit of the reporting currency was worth
-- rate_day: the day that the rate is of; NULL where the currency is the reporting currency, and no rate is needed
/* Grouped, though there is one row each: so PostgreSQL knows it, and leaves out a join of which nothing is wanted. */
SELECT
    currency_id,
    min(currency_code) AS currency,
    date_id AS day,
    min(code) AS reporting_currency,
    min(rate) AS rate,
    min(rate_date) AS rate_day
FROM (
    SELECT currency_id, currency_code, date_id, code, rate, rate_date
    FROM etl.reporting_currency
    CROSS JOIN public.dim_currency
    CROSS JOIN public.dim_date
    CROSS JOIN LATERAL (
        SELECT rate, rate_date
        FROM public.fact_exchange_rate
        WHERE base_currency = code AND currency = currency_code AND rate_date <= date_id
        ORDER BY rate_date DESC
        LIMIT 1
    ) AS newest
    WHERE currency_code <> code
    UNION ALL
    SELECT currency_id, currency_code, date_id, code, 1, NULL
    FROM etl.reporting_currency
    JOIN public.dim_currency ON currency_code = code
    CROSS JOIN public.dim_date
) AS known
GROUP BY currency_id, date_id
