"""A tiny HTTP server that answers with prepared bytes, and remembers what it was asked."""

import asyncio
import json
from typing import Any


class Server:
    """Answers with what is queued, and every further request with the same prepared bytes."""

    def __init__(self) -> None:
        self.answer = b""
        self.base_url = ""
        self.queue: list[bytes] = []
        self.requests: list[bytes] = []
        self.silent = False

    def says(self, status: int, body: bytes, *headers: str) -> None:
        """Prepare an answer."""
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
        self.answer = "\r\n".join([*lines, *headers, "", ""]).encode() + body

    def finds(self, *resources: dict[str, Any], **bundle: Any) -> None:
        """Prepare a searchset."""
        entries = [{"resource": resource} for resource in resources]
        whole = {"resourceType": "Bundle", "type": "searchset", "entry": entries} | bundle
        self.says(200, json.dumps(whole).encode())

    def first(self, status: int) -> None:
        """Queue an empty answer with this status before the prepared one."""
        self.queue.append(
            f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, or never."""
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        if self.silent:
            await reader.read()
        else:
            writer.write(self.queue.pop(0) if self.queue else self.answer)
            await writer.drain()
        writer.close()
