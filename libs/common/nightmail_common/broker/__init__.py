"""NATS JetStream: the connection, the event log, the queues, the stores."""
