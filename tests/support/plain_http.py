"""What clients of tests verify with that speak plain HTTP to this machine only."""

import ssl

#: httpx reads all authorities of the machine for each client, plain HTTP or not: 25 ms of processor time, and once for each poll
#: where a poll makes a client. This context has none, so that nothing is trusted by mistake.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
