"""Everything Dagster knows of: assets, checks, jobs, schedules, sensors and resources."""

import dagster as dg

from assets import (
    annotations,
    audits,
    baseline,
    corpora,
    evaluation,
    judging,
    nights,
    promotion,
    queries,
    sdscm,
    sdscm_checks,
    training,
)
from assets.alerts import Alerts
from assets.annotations import AnnotationInbox
from assets.models import LanguageModels
from assets.recordings import StoredRecordings
from lm.places import cache, home, tracking_uri
from orchestration.abandoned import telling_executor
from orchestration.console import short_console
from orchestration.jobs import CHAINS, STAGES
from orchestration.schedules import NIGHTLY
from orchestration.sensors import SENSORS
from orchestration.settings import annotation_inbox, calendar, chosen_profile, chosen_settings, explanation_inbox
from orchestration.storage import StoredFiles, file_store
from training.ledger import Ledger
from training.tracking import Tracking

_MODULES = [
    queries,
    annotations,
    corpora,
    training,
    sdscm,
    sdscm_checks,
    audits,
    baseline,
    evaluation,
    judging,
    promotion,
    nights,
]
_files = file_store(chosen_settings())

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(_MODULES),
    asset_checks=dg.load_asset_checks_from_modules(_MODULES),
    jobs=[*(stage.job() for stage in STAGES), *CHAINS.values()],
    schedules=NIGHTLY,
    sensors=SENSORS,
    executor=telling_executor,
    loggers={"console": short_console},
    resources={
        "profile": chosen_profile(),
        "files": _files,
        "io_manager": StoredFiles(_files),
        "models": LanguageModels(scores=cache() / "scores.sqlite"),
        "tracking": Tracking(tracking_uri(), str(home() / "mlflow" / "artifacts")),
        "inbox": AnnotationInbox(path=annotation_inbox(), explanations=explanation_inbox()),
        "recordings": StoredRecordings(_files.blobs),
        "ledger": Ledger(home() / "work" / "evaluation.sqlite"),
        "alerts": Alerts(),
        "calendar": calendar(),
    },
)
