"""Exchange rates, and the sites that they come from."""

import re
from dataclasses import dataclass, replace
from datetime import date

_LOCAL_SITE = "{endpoint}"
"""Stands for a local cloud's endpoint: the function knows the address, the stack does not."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Exchange rates, by which amounts are converted into one currency (docs/warehouse.md).

    Attributes:
        currency: the reporting currency, by its ISO 4217 code.
        since: the first day whose rates are fetched, such as "2024-03-02", the first that the public source has. Once
            there are rates, only later days are fetched, whatever this says.
        sites: the sites that are asked for them, each a URL in the form that `totes.rates.RateSource` takes.
        late_days: how many days old the newest rate of any currency of the shop may be before an alarm goes off; None:
            there is no alarm. A currency that never had a rate does not count.
    """

    currency: str = "GBP"
    since: str = "2024-03-02"
    sites: tuple[str, ...] = (
        "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@{version}/v1/currencies/{base}.min.json",
        "https://{day}.currency-api.pages.dev/v1/currencies/{base}.min.json",
    )
    late_days: int | None = 4

    def __post_init__(self) -> None:
        """Refuse a currency that is no code, a day that is none, and a site without TLS; raise ValueError."""
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"Rates.currency is {self.currency!r}, no code of ISO 4217, such as GBP")
        try:
            date.fromisoformat(self.since)
        except ValueError:
            raise ValueError(f"Rates.since is {self.since!r}, not a day such as 2024-03-02") from None
        for site in self.sites:
            if not site.startswith(("https://", _LOCAL_SITE)):
                raise ValueError(f"Rates.sites has {site!r}, and rates are asked for over HTTPS only")

    def on_this_machine(self) -> "Rates":
        """The same rates from the local cloud, which has two days of 2024, and no internet."""
        site = f"{_LOCAL_SITE}/npm/@fawazahmed0/currency-api@{{version}}/v1/currencies/{{base}}.min.json"
        return replace(self, sites=(site,), late_days=None)
