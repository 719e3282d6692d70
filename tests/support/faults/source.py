"""An HTTP source that can misbehave."""

import http.server
import threading
import time
from typing import Any

CSV = b"region,amount\nnorth,1\nnorth,2\nsouth,5\n"
#: The ways to misbehave.
MOODS = ("hangs", "resets", "talks garbage", "fails")
HANG_SECONDS = 5.0


class MoodySource:
    """Serves a CSV at `url`; `mood` selects one of MOODS instead."""

    def __init__(self) -> None:
        self.mood: str | None = None
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                match source.mood:
                    case "hangs":
                        time.sleep(HANG_SECONDS)  # the fault itself
                    case "resets":
                        self.connection.close()
                        return
                    case "talks garbage":
                        self.wfile.write(b"\x00\x01 no HTTP at all \xff\r\n\r\n")
                        return
                self.send_response(500 if source.mood == "fails" else 200)
                self.send_header("Content-Type", "text/csv")
                self.send_header("Content-Length", str(len(CSV)))
                self.end_headers()
                self.wfile.write(CSV)

            def log_message(self, *_: Any) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/sales.csv"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
