"""A Label Studio server: questions out as a project's tasks, annotations in as the same export that its UI downloads.

Sending again adds only what the project lacks; fetching changes nothing on the server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.annotation import labelling_configuration
from training.digests import digest_of
from training.errors import AnnotationServerError

KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
BATCH = 200  # tasks in one request


@dataclass(frozen=True)
class AnnotationServer:
    """A Label Studio server.

    Attributes:
        url: such as http://127.0.0.1:8080.
        key_variable: environment variable that holds the access token.
    """

    url: str
    key_variable: str = KEY_VARIABLE

    def send(
        self, title: str, tasks: Sequence[dict[str, Any]], configuration: str | None = None, annotators: int = 2
    ) -> int:
        """Put tasks into the project of this title, which is made where there is none.

        Args:
            title: of the project.
            tasks: of :func:`training.annotation.annotation_tasks`; those whose item is there already are passed over.
            configuration: labelling interface of a new project; that of questions by default.
            annotators: how many shall judge each task.

        Returns:
            How many tasks were added.
        """
        client = self._client()
        with _told(self.url):
            project = self._project(client, title)
            if project is None:
                project = client.projects.create(
                    title=title,
                    label_config=configuration or labelling_configuration(),
                    maximum_annotations=annotators,
                    show_collab_predictions=True,
                ).id
            there = {task["meta"].get("item_id") for task in client.projects.exports.as_json(project)}
            new = [task for task in tasks if task["meta"]["item_id"] not in there]
            for start in range(0, len(new), BATCH):
                client.projects.import_tasks(id=project, request=new[start : start + BATCH])
        return len(new)

    def fetch(self, title: str) -> list[dict[str, Any]]:
        """The project's export: every task that has an annotation.

        Raises:
            AnnotationServerError: there is no project of this title, or the server cannot be reached.
        """
        client = self._client()
        with _told(self.url):
            project = self._project(client, title)
            if project is None:
                titles = sorted(str(found.title) for found in client.projects.list())
                raise AnnotationServerError(
                    f"{self.url} has no project {title!r}; it has: {', '.join(titles) or 'none'}"
                )
            return [task for task in client.projects.exports.as_json(project) if task.get("annotations")]

    def _client(self) -> Any:
        key = os.environ.get(self.key_variable)
        if not key:
            raise AnnotationServerError(
                f"set {self.key_variable} to the access token of {self.url} (Account & Settings → Access Token)"
            )
        from label_studio_sdk import LabelStudio

        return LabelStudio(base_url=self.url, api_key=key)

    @staticmethod
    def _project(client: Any, title: str) -> int | None:
        return next((int(found.id) for found in client.projects.list(title=title) if found.title == title), None)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turns what the client raises into one kind of error, which names the server."""
    import httpx
    from label_studio_sdk.core.api_error import ApiError

    try:
        yield
    except ApiError as error:
        raise AnnotationServerError(f"{url} answered {error.status_code}: {str(error.body)[:300]}") from None
    except httpx.HTTPError as error:
        raise AnnotationServerError(f"{url} cannot be reached: {error}") from None


def save_export(export: list[dict[str, Any]], inbox: Path) -> Path:
    """Put a fetched export into an inbox folder, whole, under a name made from its content; returns its path.

    It is plain ASCII, in which half a character (JSON may hold one) can be written too: the import refuses that entry alone.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    path = inbox / f"fetched-{digest_of(json.dumps(export, sort_keys=True))}.json"
    scratch = inbox / f".{path.name}.{os.getpid()}"
    try:
        scratch.write_text(json.dumps(export, indent=1), encoding="ascii")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return path
