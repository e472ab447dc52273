-- Who buys, and how much do we depend on whom? A share is a counterparty's revenue in all revenue of the same currency.
--
-- currency: the ISO 4217 code of the orders' currency
-- place: 1 is the counterparty of the highest revenue in this currency
-- counterparty_id: the counterparty
-- counterparty: its legal name
-- country: the country of its legal address as it is now
-- orders: how many orders
-- units: how many bags
-- revenue: units times unit price, in the currency
-- share: revenue in all revenue of the currency, from 0 to 1
-- share_to_here: the shares of this counterparty and of all before it
-- converted: the revenue in the reporting currency, of the orders for which there is a rate (report.exchange_rates); NULL where there is none
SELECT
    currency_code AS currency,
    row_number() OVER highest AS place,
    counterparty_id,
    counterparty_legal_name AS counterparty,
    counterparty_legal_country AS country,
    orders,
    units,
    revenue,
    round(revenue / nullif(sum(revenue) OVER (PARTITION BY currency_code), 0), 6) AS share,
    round(sum(revenue) OVER highest / nullif(sum(revenue) OVER (PARTITION BY currency_code), 0), 6) AS share_to_here,
    converted
FROM (
    SELECT
        currency_code,
        counterparty_id,
        count(*) AS orders,
        sum(units_sold) AS units,
        sum(units_sold * unit_price) AS revenue,
        sum(round(units_sold * unit_price / rate, 2)) AS converted
    FROM public.current_sales_order
    JOIN public.dim_currency USING (currency_id)
    LEFT JOIN report.exchange_rates AS rated
        ON rated.currency_id = current_sales_order.currency_id AND rated.day = created_date
    GROUP BY currency_code, counterparty_id
) AS sold
JOIN public.dim_counterparty USING (counterparty_id)
WINDOW highest AS (PARTITION BY currency_code ORDER BY revenue DESC, counterparty_id)
