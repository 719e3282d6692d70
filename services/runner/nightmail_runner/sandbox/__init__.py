"""The sandbox: bytes and a script in; CSV, log and result out. It depends on neither NATS nor jobs.

`client.Sandbox` is its API. It keeps a fork server running (`forkserver`, a fresh Python that has imported pandas and holds
no secrets), which forks one worker per run (`child`), in advance. Both sides speak `protocol`.
"""
