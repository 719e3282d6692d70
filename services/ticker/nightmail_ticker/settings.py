"""The settings of the ticker."""

from nightmail_common.service.settings import ServiceSettings


class TickerSettings(ServiceSettings):
    """What every service needs; the ticker needs no more."""
