"""A catalogue of a thousand tools, as a person has who connected forty services, and what one would ask of it.

Made from what such services offer: each has things, and what can be done with them. The questions are in a person's
words, not in the tools'.
"""

from __future__ import annotations

from forgewright.tools import SchemaTool

VERBS = {
    "create": "Create a new {thing} in {service}",
    "get": "Get the details of one {thing} in {service} by its id",
    "list": "List the {things} in {service}, newest first, with filters",
    "update": "Update fields of a {thing} in {service}",
    "delete": "Delete a {thing} in {service} for good",
}
SERVICES: dict[str, str] = {
    "github": "issue pull_request repository branch release",
    "gitlab": "merge_request pipeline project snippet runner",
    "jira": "ticket sprint board epic worklog",
    "linear": "task cycle roadmap label comment",
    "slack": "message channel reaction reminder user_group",
    "teams": "chat meeting team call presence",
    "gmail": "email draft thread filter attachment",
    "calendar": "event invitation room availability holiday",
    "drive": "document folder permission revision shortcut",
    "sheets": "spreadsheet row column chart pivot_table",
    "notion": "page database block template workspace",
    "confluence": "article space blogpost whiteboard macro",
    "salesforce": "lead opportunity account campaign quote",
    "hubspot": "contact deal company newsletter form",
    "stripe": "payment refund subscription invoice payout",
    "paypal": "dispute order transfer webhook balance",
    "shopify": "product cart discount customer shipment",
    "zendesk": "support_case macro_reply satisfaction_rating queue agent",
    "aws_s3": "bucket object lifecycle_rule access_policy multipart_upload",
    "aws_ec2": "instance volume snapshot security_group key_pair",
    "aws_lambda": "function layer trigger alias execution_log",
    "kubernetes": "pod deployment service ingress config_map",
    "docker": "container image network registry compose_stack",
    "postgres": "table index query role backup",
    "redis": "key stream pubsub_channel cluster_node script",
    "datadog": "monitor dashboard metric incident log_pipeline",
    "pagerduty": "alert on_call_schedule escalation_policy postmortem status_page",
    "sentry": "error_group crash_report source_map performance_trace alert_rule",
    "cloudflare": "dns_record firewall_rule certificate worker cache_purge",
    "vercel": "website preview domain environment_variable build",
    "figma": "design component comment_pin style prototype",
    "miro": "sticky_note frame diagram poll mind_map",
    "dropbox": "shared_link file paper_doc file_request trash_item",
    "zoom": "webinar recording transcript breakout_room registrant",
    "spotify": "playlist track album artist podcast",
    "youtube": "video caption comment_thread live_stream thumbnail",
    "weather": "forecast storm_warning station observation air_quality",
    "maps": "route place travel_time geocode traffic",
    "flights": "booking fare seat boarding_pass baggage",
    "bank": "transaction standing_order loan card exchange_rate",
}

QUESTIONS = {
    "open a new issue on github about the crash": "github_create_issue",
    "which pull requests are there on github": "github_list_pull_request",
    "remove a branch from the github repository": "github_delete_branch",
    "show me one jira ticket": "jira_get_ticket",
    "change the fields of a jira epic": "jira_update_epic",
    "send a message to a slack channel": "slack_create_message",
    "set a reminder in slack": "slack_create_reminder",
    "write an email draft": "gmail_create_draft",
    "find all emails in gmail": "gmail_list_email",
    "put an event into my calendar": "calendar_create_event",
    "cancel a calendar event for good": "calendar_delete_event",
    "rename a folder in drive": "drive_update_folder",
    "who has permissions on the drive document": "drive_list_permission",
    "add a row to a spreadsheet": "sheets_create_row",
    "make a notion page": "notion_create_page",
    "refund a customer with stripe": "stripe_create_refund",
    "all subscriptions in stripe": "stripe_list_subscription",
    "cancel a stripe subscription": "stripe_delete_subscription",
    "give a discount in the shop with shopify": "shopify_create_discount",
    "upload an object to an s3 bucket": "aws_s3_create_object",
    "delete an s3 bucket": "aws_s3_delete_bucket",
    "start a new ec2 instance": "aws_ec2_create_instance",
    "take a snapshot of a volume on ec2": "aws_ec2_create_snapshot",
    "read the execution logs of a lambda": "aws_lambda_list_execution_log",
    "scale a kubernetes deployment": "kubernetes_update_deployment",
    "kill a kubernetes pod": "kubernetes_delete_pod",
    "show the running docker containers": "docker_list_container",
    "back up the postgres database": "postgres_create_backup",
    "create an index on a postgres table": "postgres_create_index",
    "get the value of a redis key": "redis_get_key",
    "what incidents are there in datadog": "datadog_list_incident",
    "who is on call according to pagerduty": "pagerduty_get_on_call_schedule",
    "see the crash reports in sentry": "sentry_list_crash_report",
    "point a dns record somewhere else with cloudflare": "cloudflare_update_dns_record",
    "purge the cloudflare cache": "cloudflare_create_cache_purge",
    "set an environment variable for the vercel website": "vercel_create_environment_variable",
    "make a new spotify playlist": "spotify_create_playlist",
    "what will the weather forecast be": "weather_get_forecast",
    "is there a storm warning": "weather_get_storm_warning",
    "plan a route on the maps": "maps_create_route",
    "book a flight": "flights_create_booking",
    "what is the exchange rate at the bank": "bank_get_exchange_rate",
    "share a dropbox link": "dropbox_create_shared_link",
    "download the transcript of a zoom webinar": "zoom_get_transcript",
    "open a support case with zendesk": "zendesk_create_support_case",
    "move a deal along in hubspot": "hubspot_update_deal",
    "new lead for salesforce": "salesforce_create_lead",
    "merge requests that are waiting in gitlab": "gitlab_list_merge_request",
}


async def nothing(arguments: dict[str, object], _: object) -> str:
    return ""


def tools() -> list[SchemaTool]:
    """One for each service, thing and verb."""
    made = []
    for service, things in SERVICES.items():
        for thing in things.split():
            plain = thing.replace("_", " ")
            for verb, text in VERBS.items():
                name = service.replace("_", " ").title()
                said = text.format(thing=plain, things=plain + "s", service=name)
                properties: dict[str, object] = {"account": {"type": "string", "description": "Whose"}}
                if verb in ("get", "update", "delete"):
                    properties["id"] = {"type": "string", "description": f"Of the {plain}"}
                if verb in ("create", "update"):
                    properties["fields"] = {"type": "object", "description": f"Of the {plain}"}
                if verb == "list":
                    properties["limit"] = {"type": "integer", "description": "At most so many"}
                schema = {"type": "object", "properties": properties}
                made.append(SchemaTool(f"{service}_{verb}_{thing}", said, schema, nothing))
    return made
