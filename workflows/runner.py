"""How workflows run, in one place for worker and replay: sandboxed, our data passed through."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.care_pathway import CarePathway

WORKFLOWS = [CarePathway]

PASSED_THROUGH = (
    "workflows.messages",
    "workflows.effects",
    "pydantic",
    "pydantic_core",
)
"""Modules a workflow shares with its process. The sandbox does not police them, a test does."""


def runner() -> SandboxedWorkflowRunner:
    """Make the sandboxed runner."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)
