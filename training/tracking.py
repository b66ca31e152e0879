"""MLflow: runs, their figures, and registered versions; addressed explicitly, never through a global active run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm.places import home, shown
from lm.registry import ASSISTANT_MODEL, CHALLENGER, CHAMPION, is_absent
from training.processes import current_process, is_gone

ADAPTER_TAG, OVER_TAG = "causalsmith.adapter_digest", "causalsmith.promoted_over"
REASON_TAG, ROLLED_BACK_TAG = "causalsmith.promotion_reason", "causalsmith.rolled_back"
PROCESS_TAG = "causalsmith.process"  # in which a run goes on
MOST_TOLD = 5000  # characters of a reason, as MLflow limits tags


class ChampionChanged(RuntimeError):
    """A promotion that rests on a comparison with a version that is no longer champion."""


@dataclass(frozen=True)
class Version:
    """One registered version of a model."""

    name: str
    version: str
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Tracking:
    """A tracking server and registry.

    Attributes:
        uri: SQLite file or server.
        artifacts: folder or bucket of artifacts for a new experiment; a server behind ``http`` has a place of its own.
        experiment: name of the experiment.
    """

    uri: str
    artifacts: str
    experiment: str = "causalsmith"

    def client(self) -> Any:
        """MLflow's client. Of two that open a new SQLite file at once the second waits: each would make its tables, and fail."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow

        if not self.uri.startswith("sqlite:///"):
            return mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        from filelock import FileLock

        file = Path(self.uri.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            return mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def start_run(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Open a run and leave it open; returns its id. Runs that were left open when their process ended are closed."""
        client = self.client()
        experiment = self._experiment_id(client)
        for left in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            if (process := left.data.tags.get(PROCESS_TAG)) and is_gone(process):
                client.set_terminated(left.info.run_id, "KILLED")
        run = client.create_run(experiment, run_name=name, tags={**tags, PROCESS_TAG: current_process()})
        for key, value in parameters.items():
            client.log_param(run.info.run_id, key, value)
        return str(run.info.run_id)

    def _experiment_id(self, client: Any) -> str:
        """The experiment's id; it is made where there is none, by whichever of two runs comes first."""
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            served = self.uri.startswith(("http://", "https://"))
            try:
                return str(client.create_experiment(self.experiment, None if served else self.artifacts))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = client.get_experiment_by_name(self.experiment)
        return str(found.experiment_id)

    @contextmanager
    def finishing(self, run_id: str) -> Iterator[Any]:
        """Close the run when the block ends: finished, or failed where it raises; a server that is down hides no fault."""
        client = self.client()
        try:
            yield client
        except BaseException as error:
            try:
                client.set_terminated(run_id, "FAILED")
            except Exception as unheard:  # noqa: BLE001 - of many kinds, by the server and what is wrong with it
                error.add_note(f"MLflow's run {run_id} could not be marked as failed: {shown(str(unheard))}")
            raise
        client.set_terminated(run_id, "FINISHED")

    def environment(self, run_id: str) -> dict[str, str]:
        """What lets TRL's reporting find the run."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_RUN_ID": run_id,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_EXPERIMENT_NAME": self.experiment,
        }

    def version_at(self, alias: str, name: str = ASSISTANT_MODEL) -> Version | None:
        """The version behind an alias, or None.

        Raises:
            MlflowException: the registry does not answer.
        """
        from mlflow.exceptions import MlflowException

        try:
            return _version(self.client().get_model_version_by_alias(name, alias))
        except MlflowException as error:
            if is_absent(error):
                return None
            raise

    def version_of_adapter(self, digest: str, name: str = ASSISTANT_MODEL) -> Version | None:
        """The registered version that holds an adapter of this digest, or None."""
        found = self.client().search_model_versions(f"name = '{name}'")
        return next((_version(v) for v in found if v.tags.get(ADAPTER_TAG) == digest), None)

    def register(
        self, adapter: Path, digest: str, run_id: str, tags: Mapping[str, str], name: str = ASSISTANT_MODEL
    ) -> Version:
        """Log an adapter as an MLflow model of a run, register it, and give it the alias ``challenger``.

        Registering the same adapter again gives the version that is there.

        Args:
            run_id: of the run that has tuned it; where this server does not know that (the adapter was tuned before the server
                was chosen), a run is opened for it.
        """
        known = self.version_of_adapter(digest, name)
        if known is None:
            tags = {**tags, ADAPTER_TAG: digest}
            known = self._log_and_register(adapter, self._known_run(run_id, tags), tags, name)
        self.client().set_registered_model_alias(name, CHALLENGER, known.version)
        return known

    def promote(self, version: Version, over: str, reason: str) -> None:
        """Move the alias ``champion`` to a version, with the reason and the version that it replaces.

        The alias is moved last and at once: before that the old champion is in force, after that the new one. Of two promotions
        on one machine the second waits for the first, and finds another champion.

        Args:
            over: the version that the comparison was with; '' where there was no champion.

        Raises:
            ChampionChanged: another version has become champion since the comparison.
        """
        with _champion_lock():
            champion = self.version_at(CHAMPION, version.name)
            if (champion.version if champion else "") != over:
                raise ChampionChanged(
                    f"version {version.version} was compared with {f'version {over}' if over else 'no champion'}, but now "
                    f"{f'version {champion.version}' if champion else 'none'} is champion; evaluate again"
                )
            client = self.client()
            client.set_model_version_tag(version.name, version.version, OVER_TAG, over)
            client.set_model_version_tag(version.name, version.version, REASON_TAG, reason[:MOST_TOLD])
            client.set_registered_model_alias(version.name, CHAMPION, version.version)

    def roll_back(self, reason: str, name: str = ASSISTANT_MODEL) -> tuple[Version, Version | None]:
        """Give the alias ``champion`` back to the version that the champion replaced (see :meth:`replaced_by`), or to none.

        The version that was champion is marked, and is not promoted again by what it was promoted by.

        Returns:
            The version that was champion, and the one that is now.

        Raises:
            LookupError: there is no champion.
        """
        with _champion_lock():
            champion = self.version_at(CHAMPION, name)
            if champion is None:
                raise LookupError(f"{name} has no champion at {shown(self.uri)}, so there is nothing to roll back")
            client, replaced = self.client(), self.replaced_by(champion)
            client.set_model_version_tag(name, champion.version, ROLLED_BACK_TAG, reason[:MOST_TOLD])
            if replaced is not None:
                client.set_registered_model_alias(name, CHAMPION, replaced.version)
            else:
                client.delete_registered_model_alias(name, CHAMPION)
            return champion, self.version_at(CHAMPION, name)

    def replaced_by(self, champion: Version) -> Version | None:
        """The version that a champion replaced; where that was rolled back itself, the one before it.

        None where it replaced none, or one that has been deleted from the registry since.
        """
        known = {one.version: one for one in self.versions(champion.name)}
        found, seen = known.get(champion.tags.get(OVER_TAG, "")), {champion.version}
        while found is not None and ROLLED_BACK_TAG in found.tags and found.version not in seen:
            seen.add(found.version)
            found = known.get(found.tags.get(OVER_TAG, ""))
        return None if found is None or found.version in seen else found

    def versions(self, name: str = ASSISTANT_MODEL) -> list[Version]:
        """All registered versions, newest first."""
        found = self.client().search_model_versions(f"name = '{name}'")
        return sorted((_version(one) for one in found), key=lambda one: -int(one.version))

    def _known_run(self, run_id: str, tags: Mapping[str, str]) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self.client().get_run(run_id).info.run_id)
        except MlflowException as error:
            if not is_absent(error):
                raise
        return self.start_run("assistant, tuned elsewhere", {}, {**tags, "causalsmith.tuned_in_run": run_id})

    def _log_and_register(self, adapter: Path, run_id: str, tags: Mapping[str, str], name: str) -> Version:
        import mlflow

        from causal_tools import serving

        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        with mlflow.start_run(run_id=run_id):
            logged = mlflow.pyfunc.log_model(
                name="assistant",
                python_model=str(serving.__file__),
                artifacts={"adapter": str(adapter)},
                signature=serving.signature(),
                input_example=serving.example(),
                pip_requirements=["causalsmith"],
                registered_model_name=name,
            )
        client = self.client()
        version = str(logged.registered_model_version)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        return _version(client.get_model_version(name, version))


@contextmanager
def _champion_lock() -> Iterator[None]:
    """One process of this machine at a time looks which version is champion and changes it; the registry itself has no lock."""
    from filelock import FileLock

    place = home() / "work" / "champion.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place):
        yield


def _version(found: Any) -> Version:
    return Version(found.name, str(found.version), str(found.run_id), dict(found.tags))
