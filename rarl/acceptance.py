"""`rarl accept`: lets results stand that a change of code or settings made stale.

It compares what Snakemake recorded of each finished job with what it plans now. Accepting a job
renews its record and leaves its files alone, their time stamps included, so nothing below re-runs.
A job with a missing file or with other inputs than recorded is never accepted: it has to run.
"""

import ast
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ChangeType,
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)

from rarl.results.acceptance import Acceptance, AcceptedFile
from rarl.runtime import records
from rarl.runtime.errors import UserError
from rarl.runtime.files import sha256

HASH_LENGTH = 16  # hex digits of a fingerprint


@dataclass(frozen=True)
class Stale:
    """A finished job that Snakemake would run again for its code or settings alone."""

    job: Any  # of Snakemake
    outputs: tuple[Path, ...]
    old: dict[str, Any]  # `code` and `settings`, as recorded
    new: dict[str, Any]
    changed: tuple[str, ...]  # "module rarl.sampling", "setting draw.temperature: 1.0 -> 0.5"


class Workflow:
    """A planned workflow and Snakemake's records of it."""

    def __init__(self, dag: Any) -> None:
        self._dag, self._records = dag, dag.workflow.persistence

    @property
    def locked(self) -> bool:
        """Whether Snakemake is at work on the same files."""
        return bool(self._records.locked)

    def stale(self) -> list[Stale]:
        """The jobs that can be accepted."""
        found = (self._stale(job) for job in self._dag.jobs)
        return sorted((of for of in found if of), key=lambda of: of.outputs)

    def tables(self, jobs: Sequence[Stale]) -> list[str]:
        """The tables, as Markdown files, that rest on outputs of `jobs`."""
        below = self._dag.bfs(self._dag.depending, *(of.job for of in jobs))
        files = (Path(file) for job in below for file in job.output)
        return sorted(
            str(path) for path in files if path.suffix == ".md" and path.parent.name == "tables"
        )

    def renew(self, jobs: Sequence[Stale]) -> None:
        """Makes Snakemake's records of jobs those of what is planned."""
        self._dag.workflow.execution_settings = ExecutionSettings()  # keeps records
        for of in jobs:
            self._dag.workflow.async_run(self._records.finished(of.job))

    def _stale(self, job: Any) -> Stale | None:
        outputs = tuple(map(Path, job.output))
        if not outputs or not all(path.exists() for path in outputs):
            return None
        if not self._records.has_metadata(job) or any(self._records.input_changed(job)):
            return None
        command = any(self._records.code_changed(job))
        if not command and not self._records.params_changed(job):
            return None
        old = _parts(self._records.params(job.output[0]) or [])
        new = _parts(self._records._params(job))
        changed = [*_modules(old["code"], new["code"])]
        changed += _settings(json.loads(old["settings"]), json.loads(new["settings"]))
        if old["other"] != new["other"]:
            changed.append(f"processes: {old['other']} -> {new['other']}")
        if command:
            changed.append(f"command of rule {job.rule.name}")
        return Stale(job, outputs, old, new, tuple(changed))


@contextmanager
def planned(
    snakefile: Path, configfiles: Sequence[Path], targets: Sequence[str]
) -> Iterator[Workflow]:
    """The workflow of a configuration. Raises `UserError` when it cannot be planned."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        try:
            workflow = api.workflow(
                ResourceSettings(cores=1),
                config_settings=ConfigSettings(configfiles=list(configfiles)),
                snakefile=snakefile,
            )
            dag = workflow.dag(DAGSettings(targets=set(targets)))
            with redirect_stdout(io.StringIO()):  # plans, and prints what we say better
                dag.list_changes(ChangeType.PARAMS)
        except Exception as error:
            raise UserError(f"{snakefile}: cannot be planned: {error}") from None
        yield Workflow(workflow._workflow.dag)


def accept(workflow: Workflow, jobs: Sequence[Stale], log: Path) -> None:
    """Notes the acceptance in `log`, then renews the records of `jobs`.

    Raises `UserError` while Snakemake runs here: it may be making these files.
    """
    if workflow.locked:
        raise UserError("Snakemake runs in this folder; wait for its end, then accept")
    acceptance = Acceptance(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        rarl=version("rarl"),
        outputs={
            str(path): AcceptedFile(
                sha256=sha256(path),
                old={name: of.old[name] for name in ("code", "settings")},
                new={name: of.new[name] for name in ("code", "settings")},
                changed=of.changed,
            )
            for of in jobs
            for path in of.outputs
        },
        tables=tuple(workflow.tables(jobs)),
    )
    acceptance.append(log)
    workflow.renew(jobs)


def _parts(params: Sequence[str]) -> dict[str, Any]:
    """Code, settings and what else a rule's recorded parameters hold; Snakemake keeps no names."""
    values = [ast.literal_eval(text) for text in params]
    texts = [value for value in values if isinstance(value, str)]
    return {
        "code": next((text for text in texts if len(text) == HASH_LENGTH), ""),
        "settings": next((text for text in texts if text.startswith("{")), "{}"),
        "other": [of for of in values if not isinstance(of, str) or of.startswith("--")],
    }


def _modules(old: str, new: str) -> list[str]:
    if old == new:
        return []
    before, now = records.modules(old), records.modules(new)
    if before is None or now is None:
        return ["code of an unknown version"]
    names = sorted(before.keys() | now.keys())
    return [f"module {name}" for name in names if before.get(name) != now.get(name)]


def _settings(old: Any, new: Any, where: str = "") -> list[str]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        inner = (_settings(old.get(k), new.get(k), f"{where}.{k}" if where else k) for k in keys)
        return [line for found in inner for line in found]
    return [f"setting {where}: {json.dumps(old)} -> {json.dumps(new)}"]
