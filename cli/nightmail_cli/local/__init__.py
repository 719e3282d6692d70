"""The whole system on this machine: supervisor, embedded nats-server, mail catcher."""
