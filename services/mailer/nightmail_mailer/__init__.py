"""The mailer: sends results and failures by SMTP."""

__version__ = "0.1.0"
