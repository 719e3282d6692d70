"""The mailer: sends results and failures by SMTP."""
