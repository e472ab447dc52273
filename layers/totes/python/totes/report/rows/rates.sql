-- Every exchange rate that the warehouse holds, of the reporting currency to the currencies that the shop has.
--
-- currency_id: the currency, in report.currencies
-- day: the day
-- rate: how many units of it one unit of the reporting currency was worth
SELECT currency_id, rate_date AS day, rate
FROM public.fact_exchange_rate
JOIN etl.reporting_currency ON code = base_currency
JOIN public.dim_currency ON currency_code = currency
