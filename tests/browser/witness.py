"""Sees what a page must never do: complain, lose a request, ask a stranger, open a dialog."""

from __future__ import annotations

from playwright.async_api import Dialog, Page


class Witness:
    """Watches from before the first request until `swear`."""

    def __init__(self, page: Page, url: str) -> None:
        self._wrong: list[str] = []
        self._own = (url, url.replace("http://", "ws://"), "data:", "blob:" + url)
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("pageerror", lambda error: self._wrong.append(f"an error on the page: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._address(request.url))
        page.on("websocket", lambda socket: self._address(socket.url))
        page.on("requestfailed", lambda request: self._wrong.append(f"failed: {request.url}: {request.failure}"))
        page.on("response", lambda answer: self._status(answer.url, answer.status))

    def swear(self) -> None:
        assert not self._wrong, "\n".join(self._wrong)

    async def _dialog(self, dialog: Dialog) -> None:
        self._wrong.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    def _console(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self._wrong.append(f"console {kind}: {text}")

    def _address(self, url: str) -> None:
        if not url.startswith(self._own):
            self._wrong.append(f"a request to a stranger: {url}")

    def _status(self, url: str, status: int) -> None:
        if status >= 400:
            self._wrong.append(f"{status}: {url}")
