"""Reading cameras: pipelines that look at one address share its connection and its decoder.

subscription (a pipeline's Source) ─► readers (which address has which reader) ─► shared reader
─► members (one a subscription: its slot, its pace, its part of the cost)
"""

from camfleet.service.reading.readers import Readers, Subscription

__all__ = ["Readers", "Subscription"]
