"""A server that fails as real ones do: some calls are refused, break off, come garbled, or never come.

It keeps its own books: what every call cost, whether or not its answer arrived.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERRORS = ("429", "500", "cut body", "garbled", "no choice")
HANG_SECONDS = 8.0


class Unruly:
    """An OpenAI-compatible server on loopback; with ``behind`` it passes what it lets through on to a real one.

    Args:
        errors: share of calls that fail at once, of all kinds alike.
        hangs: share of calls that are answered too late.
        prices: dollars of a prompt and a completion token, for its books.
        behind: address of a real server.
    """

    def __init__(self, errors: float, hangs: float, prices: tuple[float, float], behind: str | None = None) -> None:
        self.chances, self.lock = random.Random(0), threading.Lock()
        self.billed, self.answered, self.kinds = 0.0, Counter[str](), Counter[str]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    roll, kind = outer.chances.random(), outer.chances.choice(ERRORS)
                kind = "hang" if roll < hangs else kind if roll < hangs + errors else "answer"
                outer.kinds[kind] += 1
                if kind in ("429", "500"):
                    self._send(int(kind), b'{"error": {"message": "not now"}}')
                    return
                content = outer.answer(body, behind)
                usage = json.loads(content)["usage"]
                with outer.lock:
                    outer.billed += usage["prompt_tokens"] * prices[0] + usage["completion_tokens"] * prices[1]
                if kind == "hang":
                    time.sleep(HANG_SECONDS)
                elif kind == "garbled":
                    content = b"<html>gateway</html>"
                elif kind == "no choice":
                    content = json.dumps({**json.loads(content), "choices": []}).encode()
                elif kind == "answer":
                    outer.answered[hashlib.sha256(body).hexdigest()] += 1
                self._send(200, content, cut=kind == "cut body")

            def _send(self, status: int, content: bytes, *, cut: bool = False) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("retry-after-ms", "2")
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2] if cut else content)
                    if cut:
                        self.wfile.flush()
                        self.connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # whoever asked has gone
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, body: bytes, behind: str | None) -> bytes:
        if behind:
            request = urllib.request.Request(
                f"{behind}/v1/chat/completions", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=120) as reply:
                return bytes(reply.read())
        question = json.loads(body)["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"answer to {question}"}
        usage = {"prompt_tokens": len(question), "completion_tokens": 20, "total_tokens": len(question) + 20}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        content = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        return json.dumps(content).encode()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
