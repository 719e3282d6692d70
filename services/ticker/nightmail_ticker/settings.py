"""The settings of the ticker."""

from nightmail_common.service.settings import ServiceSettings


class TickerSettings(ServiceSettings):
    """The settings of every service; the ticker has no others."""
