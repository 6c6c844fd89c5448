"""Files that browsers send: one at a time, in memory, by somebody who is signed in, and only to views that take one.

The form of a request is read before the view is called, for its token: a limit inside of a view would come too late.
"""

from typing import Any

from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

LARGEST = 10 * 1024 * 1024
"""Bytes of a file."""
_TOO_LARGE = "The file is too large."


def takes_file(view: Any) -> Any:
    """Mark a view as one that takes a file."""
    view.takes_file = True
    return view


def _may_send(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and getattr(match.func, "takes_file", False) and request.user.is_authenticated)


class OneFile(FileUploadHandler):
    """Keep a file in memory; refuse it (400) where none is taken, or if it is too large."""

    def new_file(self, *args: Any, **named: Any) -> None:
        """Begin a file. Raises `BadRequest`."""
        super().new_file(*args, **named)
        if self.request is None or not _may_send(self.request):
            raise BadRequest("No file is taken here.")
        self._parts: list[bytes] = []
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a part of the file. Raises `BadRequest`."""
        self._size += len(raw_data)
        if self._size > LARGEST:
            raise BadRequest(_TOO_LARGE)
        self._parts.append(raw_data)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        """Return the file."""
        return SimpleUploadedFile(self.file_name or "file", b"".join(self._parts), self.content_type or "")
