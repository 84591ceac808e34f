"""The addresses of the REST door, under /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from souvenir.api import (
    audit,
    context,
    conversations,
    erasures,
    exports,
    imports,
    job_events,
    jobs,
    memories,
    organizations,
    people,
    residency,
    webhooks,
)
from souvenir.api.views import NothingHere

urlpatterns = [
    path(
        "openapi.json",
        SpectacularJSONAPIView.as_view(authentication_classes=(), permission_classes=()),
        name="openapi",
    ),
    path("placements", organizations.Placements.as_view()),
    path("organizations", organizations.Organizations.as_view()),
    path("organizations/<uuid:organization_id>", organizations.OneOrganization.as_view()),
    path(
        "organizations/<uuid:organization_id>/suspend", organizations.SuspendOrganization.as_view()
    ),
    path("organizations/<uuid:organization_id>/resume", organizations.ResumeOrganization.as_view()),
    path("organization", organizations.OwnOrganization.as_view()),
    path("residency", residency.Residency.as_view()),
    path("people", people.People.as_view()),
    path("keys", people.Keys.as_view()),
    path("keys/<uuid:key_id>", people.OneKey.as_view()),
    path("jobs", jobs.Jobs.as_view()),
    path("jobs/<uuid:job_id>", jobs.OneJob.as_view()),
    path("jobs/<uuid:job_id>/cancel", jobs.CancelJob.as_view()),
    path("jobs/<uuid:job_id>/retry", jobs.RetryJob.as_view()),
    path("jobs/<uuid:job_id>/events", job_events.JobEvents.as_view()),
    path("imports", imports.Imports.as_view()),
    path("imports/<uuid:import_id>", imports.OneImport.as_view()),
    path("context", context.ContextForPrompt.as_view()),
    path("conversations", conversations.Conversations.as_view()),
    path("conversations/<uuid:conversation_id>", conversations.OneConversation.as_view()),
    path("memories", memories.Memories.as_view()),
    path("memories/search", memories.Search.as_view()),
    path("memories/list", memories.MemoriesFiltered.as_view()),
    path("memories/<uuid:memory_id>", memories.OneMemory.as_view()),
    path("memories/<uuid:memory_id>/history", memories.MemoryHistory.as_view()),
    path("exports", exports.Exports.as_view()),
    path("exports/<uuid:export_id>", exports.OneExport.as_view()),
    path("downloads/<str:token>", exports.Download.as_view()),
    path("erasures", erasures.Erasures.as_view()),
    path("erasures/<uuid:erasure_id>", erasures.OneErasure.as_view()),
    path("audit/entries", audit.AuditEntries.as_view()),
    path("audit/entries/<uuid:entry_id>/proof", audit.AuditEntryProof.as_view()),
    path("audit/checkpoint", audit.AuditCheckpoint.as_view()),
    path("audit/consistency", audit.AuditConsistency.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<uuid:endpoint_id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<uuid:endpoint_id>/secret", webhooks.WebhookSecret.as_view()),
    path("webhooks/<uuid:endpoint_id>/test", webhooks.WebhookTest.as_view()),
    path("webhooks/<uuid:endpoint_id>/deliveries", webhooks.Deliveries.as_view()),
    path(
        "webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>",
        webhooks.OneDelivery.as_view(),
    ),
    path(
        "webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/resend",
        webhooks.ResendDelivery.as_view(),
    ),
    re_path("", NothingHere.as_view()),
]
