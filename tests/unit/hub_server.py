"""A small stand-in for the Hugging Face hub on this machine, as its client speaks to it."""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories by name, each with its files; and what was asked for."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    address: str = ""
    status: int = 200  # of every answer, if not 200
    error: str = ""  # the hub's code of that error
    asked: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self._asked()
        listing = parts[:2] == ["api", "models"]
        files = self.hub.repositories.get("/".join(parts[2:4] if listing else parts[:2]))
        if self.hub.status != 200:
            self._answer(b"{}", self.hub.status, {"X-Error-Code": self.hub.error})
        elif files is None:
            self._answer(b"{}", 404, {"X-Error-Code": "RepoNotFound"})
        elif listing:
            self._json([_entry(name, content) for name, content in files.items()])
        elif (content := files.get("/".join(parts[4:]))) is None:
            self._answer(b"", 404, {"X-Error-Code": "EntryNotFound"})
        else:
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            self._answer(content, 200, {"ETag": etag, "X-Repo-Commit": COMMIT})

    def do_POST(self) -> None:
        parts = self._asked()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.hub.status != 200:
            self._answer(b"{}", self.hub.status, {"X-Error-Code": self.hub.error})
        elif parts[-1] == "create":
            self._json(self._created(json.loads(body)))
        elif "preupload" in parts:
            kinds = {"uploadMode": "regular", "shouldIgnore": False}
            files = [{"path": file["path"], **kinds} for file in json.loads(body)["files"]]
            self._json({"files": files})
        elif "commit" in parts:
            self._json(self._committed("/".join(parts[2:4]), body))
        else:
            self._json({"errors": [], "warnings": []})

    def _asked(self) -> list[str]:
        self.hub.asked.append(f"{self.command} {self.path}")
        return self.path.partition("?")[0].strip("/").split("/")

    def _created(self, asked: dict[str, str]) -> dict[str, str]:
        name = f"{asked.get('organization', 'me')}/{asked['name']}"
        self.hub.repositories.setdefault(name, {})
        return {"url": f"{self.hub.address}/{name}", "id": name}

    def _committed(self, name: str, body: bytes) -> dict[str, object]:
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                content = base64.b64decode(line["value"]["content"])
                self.hub.repositories[name][line["value"]["path"]] = content
        address = f"{self.hub.address}/{name}/commit/{COMMIT}"
        return {"commitUrl": address, "commitOid": COMMIT, "success": True}

    def _json(self, content: object) -> None:
        self._answer(json.dumps(content).encode(), 200, {"Content-Type": "application/json"})

    def _answer(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def hub_of(repositories: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    hub = Hub(repositories)
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        hub.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


def _entry(name: str, content: bytes) -> dict[str, object]:
    oid = hashlib.sha1(content).hexdigest()
    return {"type": "file", "path": name, "size": len(content), "oid": oid}
