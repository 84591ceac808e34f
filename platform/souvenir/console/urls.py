"""The addresses of the console, under /en/ and /fr/ alike."""

from django.urls import URLResolver, path, re_path

from souvenir.console.failures import nothing_here
from souvenir.console.language import LanguagePrefix
from souvenir.console.views import (
    entry,
    jobs,
    my_conversations,
    my_erasures,
    my_exports,
    my_imports,
    my_memories,
    my_search,
    organization,
    organization_keys,
    organization_people,
    organization_webhooks,
    platform,
    preferences,
)

app_name = "console"

_my = [
    path("my/", my_search.my_memory, name="my-memory"),
    path("my/context/", my_search.my_context, name="my-context"),
    path("my/conversations/", my_conversations.my_conversations, name="my-conversations"),
    path(
        "my/conversations/<uuid:conversation_id>/",
        my_conversations.my_conversation,
        name="my-conversation",
    ),
    path("my/memories/", my_memories.my_memories, name="my-memories"),
    path("my/memories/<uuid:memory_id>/", my_memories.my_memory_one, name="my-memory-one"),
    path("my/memories/<uuid:memory_id>/forget/", my_memories.forget, name="my-memory-forget"),
    path("my/preferences/", preferences.my_preferences, name="my-preferences"),
    path("my/imports/", my_imports.my_imports, name="my-imports"),
    path("my/imports/<uuid:import_id>/", my_imports.my_import, name="my-import"),
    path(
        "my/imports/<uuid:import_id>/progress/",
        my_imports.my_import_progress,
        name="my-import-progress",
    ),
    path("my/imports/<uuid:import_id>/erase/", my_erasures.erase_import, name="my-import-erase"),
    path("my/exports/", my_exports.my_exports, name="my-exports"),
    path(
        "my/exports/<uuid:export_id>/progress/",
        my_exports.my_export_progress,
        name="my-export-progress",
    ),
    path(
        "my/exports/<uuid:export_id>/download/",
        my_exports.my_export_download,
        name="my-export-download",
    ),
    path("my/erasures/", my_erasures.my_erasures, name="my-erasures"),
    path("my/erasures/everything/", my_erasures.erase_everything, name="my-erase-everything"),
    path("my/erasures/<uuid:erasure_id>/", my_erasures.my_erasure, name="my-erasure"),
    path(
        "my/erasures/<uuid:erasure_id>/progress/",
        my_erasures.my_erasure_progress,
        name="my-erasure-progress",
    ),
]
_my_jobs = [
    path("my/jobs/<uuid:job_id>/events/", jobs.my_job_events, name="my-job-events"),
    path("my/jobs/<uuid:job_id>/cancel/", jobs.my_job_cancel, name="my-job-cancel"),
    path("my/jobs/<uuid:job_id>/retry/", jobs.my_job_retry, name="my-job-retry"),
]
_organization_jobs = [
    path("organization/jobs/", organization.organization_jobs, name="organization-jobs"),
    path(
        "organization/jobs/<uuid:job_id>/", organization.organization_job, name="organization-job"
    ),
    path(
        "organization/jobs/<uuid:job_id>/events/",
        jobs.organization_job_events,
        name="organization-job-events",
    ),
    path(
        "organization/jobs/<uuid:job_id>/cancel/",
        jobs.organization_job_cancel,
        name="organization-job-cancel",
    ),
    path(
        "organization/jobs/<uuid:job_id>/retry/",
        jobs.organization_job_retry,
        name="organization-job-retry",
    ),
]
_webhook = "organization/webhooks/<uuid:endpoint_id>/"
_organization_webhooks = [
    path(
        "organization/webhooks/",
        organization_webhooks.organization_webhooks,
        name="organization-webhooks",
    ),
    path(_webhook, organization_webhooks.organization_webhook, name="organization-webhook"),
    *(
        path(f"{_webhook}{name}/", view, name=f"organization-webhook-{name}")
        for name, view in {
            "turn": organization_webhooks.webhook_turn,
            "test": organization_webhooks.webhook_test,
            "secret": organization_webhooks.webhook_secret,
            "remove": organization_webhooks.webhook_remove,
        }.items()
    ),
    path(
        f"{_webhook}deliveries/<uuid:delivery_id>/resend/",
        organization_webhooks.webhook_resend,
        name="organization-webhook-resend",
    ),
]
_organization = [
    path("organization/", organization.organization, name="organization"),
    path("organization/exports/", organization.organization_copies, name="organization-exports"),
    path(
        "organization/exports/<uuid:export_id>/progress/",
        organization.organization_export_progress,
        name="organization-export-progress",
    ),
    path(
        "organization/exports/<uuid:export_id>/download/",
        organization.organization_export_download,
        name="organization-export-download",
    ),
    path("organization/settings/", preferences.organization_settings, name="organization-settings"),
    path("organization/residency/", organization.residency, name="organization-residency"),
    path(
        "organization/people/", organization_people.organization_people, name="organization-people"
    ),
    path(
        "organization/people/<uuid:person_id>/erase/",
        organization_people.erase_person,
        name="organization-person-erase",
    ),
    path(
        "organization/erasures/<uuid:erasure_id>/",
        organization_people.organization_erasure,
        name="organization-erasure",
    ),
    path(
        "organization/erasures/<uuid:erasure_id>/progress/",
        organization_people.organization_erasure_progress,
        name="organization-erasure-progress",
    ),
    path("organization/keys/", organization_keys.organization_keys, name="organization-keys"),
    path(
        "organization/keys/<uuid:key_id>/revoke/",
        organization_keys.revoke,
        name="organization-key-revoke",
    ),
]
_platform = [
    path("platform/", platform.platform, name="platform"),
    path("platform/organizations/new/", platform.new_organization, name="platform-new"),
    path(
        "platform/organizations/<uuid:organization_id>/suspend/",
        platform.suspend,
        name="platform-suspend",
    ),
    path(
        "platform/organizations/<uuid:organization_id>/resume/",
        platform.resume,
        name="platform-resume",
    ),
    path("platform/placements/", platform.placements_page, name="platform-placements"),
]
_pages = [
    path("", entry.home, name="home"),
    path("sign-in/", entry.sign_in, name="sign-in"),
    path("sign-out/", entry.sign_out, name="sign-out"),
    path("language/", entry.set_language, name="set-language"),
    path("enter/<uuid:organization_id>/", entry.enter_organization, name="enter"),
    *_my,
    *_my_jobs,
    *_organization,
    *_organization_jobs,
    *_organization_webhooks,
    *_platform,
    # With its slash, so that an address without one is still sent to the one that has it.
    re_path(r"^.+/$", nothing_here),
]

urlpatterns = [
    path("", entry.front_door, name="front-door"),
    URLResolver(LanguagePrefix(), _pages),
]
