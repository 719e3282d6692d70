"""The sandbox: bytes and a script in; CSV, log and outcome out. It knows nothing of NATS or jobs.

`client.Sandbox` is its API. It keeps a fork server (`forkserver`, a fresh Python that has pandas imported and nothing
else in its memory), which forks one process per run (`child`), ahead of need. Both sides speak `protocol`.
"""
