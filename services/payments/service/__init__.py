"""Payments' use cases, a file each. `gateway_operations` is what they share: it asks the gateway, and applies what it shows."""

from dataclasses import dataclass

from services.payments.service.capture_payment import CapturePayment
from services.payments.service.look_up_payment import LookUpPayment
from services.payments.service.open_payment import OpenPayment
from services.payments.service.take_webhook import TakeWebhook
from services.payments.service.void_or_refund_payment import VoidOrRefundPayment


@dataclass(frozen=True)
class Payments:
    """The use cases that others ask for; those of workers are `ask_gateway_again` and `follow_webhooks`."""

    open_payment: OpenPayment
    look_up_payment: LookUpPayment
    capture_payment: CapturePayment
    void_or_refund_payment: VoidOrRefundPayment
    take_webhook: TakeWebhook
