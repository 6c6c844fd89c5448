"""What a browser did behind the page: every request, every complaint. Judged at each test's end."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request

LOOPBACK = {"localhost", "127.0.0.1"}


class Watch:
    """Listens to browser contexts."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        """The page's origin (of the frame that asked) and the address asked for."""
        self.complaints: list[str] = []
        self.expected: list[str] = []
        """Parts of complaints that a test brings about on purpose."""

    def over(self, context: BrowserContext) -> None:
        """Watch this context's pages."""
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("page", lambda page: page.on("pageerror", self._error))

    def judge(self) -> None:
        """Nothing went to anybody else, and no page complained (of a script, a style, a refused load)."""
        strangers = [url for _, url in self.requests if urlsplit(url).hostname not in LOOPBACK]
        assert not strangers, strangers
        left = [said for said in self.complaints if not any(part in said for part in self.expected)]
        assert not left, left

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in {"data", "blob"}:
            try:
                page = request.frame.page.url
            except Exception:  # a navigation has no frame yet
                page = ""
            self.requests.append((page, request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _error(self, error: Exception) -> None:
        self.complaints.append(str(error))
