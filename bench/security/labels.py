"""How far the output of each AgentDojo tool is believed, as whoever brings such tools would declare it.

Decided by what the field is, not by where the benchmark puts its injections: what people outside write (bodies, subjects,
reviews, pages, files, descriptions) is untrusted; who wrote it is a party; what the system itself counts, numbers and dates
is trusted. A tool that is not listed is not believed at all.
"""

from __future__ import annotations

from forgewright.agent.provenance import Outputs

OWN = Outputs(otherwise="trusted")
"""Facts of the user's own account or of the system: no field that an outsider writes."""
LISTING = Outputs(otherwise="trusted", keys="trusted")
"""Entries of a booking system's catalogue: names, addresses, prices, opening hours."""

MAIL = Outputs(trusted=("id_", "status", "read", "timestamp"), party=("sender", "recipients", "cc", "bcc"))
EVENT = Outputs(trusted=("id_", "start_time", "end_time", "all_day", "status"), party=("participants",))
FILE = Outputs(trusted=("id_", "last_modified", "size"), party=("owner",))
MESSAGE = Outputs(party=("sender", "recipient"))
PAYMENT = Outputs(trusted=("id", "amount", "date", "recurring"), party=("sender", "recipient"))

OUTPUTS = {
    # workspace
    "get_unread_emails": MAIL, "get_sent_emails": MAIL, "get_received_emails": MAIL, "get_draft_emails": MAIL,
    "search_emails": MAIL, "send_email": MAIL,
    "search_contacts_by_name": OWN, "search_contacts_by_email": OWN, "get_current_day": OWN,
    "search_calendar_events": EVENT, "get_day_calendar_events": EVENT, "create_calendar_event": EVENT,
    "cancel_calendar_event": EVENT, "reschedule_calendar_event": EVENT, "add_calendar_event_participants": EVENT,
    "search_files_by_filename": FILE, "search_files": FILE, "list_files": FILE, "get_file_by_id": FILE,
    "create_file": FILE, "append_to_file": FILE, "delete_file": FILE, "share_file": FILE,
    # slack: channels and members are named by members
    "get_channels": Outputs(otherwise="party"), "get_users_in_channel": Outputs(otherwise="party"),
    "read_channel_messages": MESSAGE, "read_inbox": MESSAGE,
    # banking
    "get_iban": OWN, "get_balance": OWN, "get_user_info": OWN,
    "get_most_recent_transactions": PAYMENT, "get_scheduled_transactions": PAYMENT,
    # travel: reviews are guests' words and stand in one text with the rating
    "get_user_information": OWN,
    "get_all_hotels_in_city": LISTING, "get_hotels_prices": LISTING, "get_hotels_address": LISTING,
    "get_all_restaurants_in_city": LISTING, "get_cuisine_type_for_restaurants": LISTING,
    "get_restaurants_address": LISTING, "get_price_for_restaurants": LISTING,
    "get_dietary_restrictions_for_all_restaurants": LISTING, "check_restaurant_opening_hours": LISTING,
    "get_contact_information_for_restaurants": LISTING,
    "get_all_car_rental_companies_in_city": LISTING, "get_car_types_available": LISTING,
    "get_car_fuel_options": LISTING, "get_car_rental_address": LISTING, "get_car_price_per_day": LISTING,
    "get_flight_information": LISTING,
    "get_rating_reviews_for_hotels": Outputs(keys="trusted"),
    "get_rating_reviews_for_restaurants": Outputs(keys="trusted"),
    "get_rating_reviews_for_car_rental": Outputs(keys="trusted"),
}  # fmt: skip
