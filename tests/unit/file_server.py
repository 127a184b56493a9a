"""A small web server on this machine, for tests of downloads."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `content` at `address`, with the faults that a test asks for."""

    content: bytes
    address: str = ""
    knows_ranges: bool = True
    status: int = 200
    cut_after: list[int] = field(default_factory=list)  # one answer each breaks after so many bytes
    asked_ranges: list[str | None] = field(default_factory=list)  # one a request


@contextlib.contextmanager
def serving(content: bytes, file_name: str = "file.pth") -> Iterator[FileServer]:
    state = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked_ranges.append(asked)
            if state.status != 200:
                self.send_error(state.status)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            start = start if state.knows_ranges else 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut_after.pop(0)] if state.cut_after else body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_port}/{file_name}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
