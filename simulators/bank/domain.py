"""What a payment at the bank may do next, and why it is refused. Pure."""

from enum import StrEnum


class Status(StrEnum):
    """Where a payment stands."""

    REQUIRES_PAYER = "requires_payer"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


class Operation(StrEnum):
    """What a merchant asks to be done with a payment."""

    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


# (operation) -> the statuses it starts from, and the one it leads to.
OPERATIONS: dict[Operation, tuple[frozenset[Status], Status]] = {
    Operation.CAPTURE: (frozenset({Status.AUTHORISED}), Status.CAPTURED),
    Operation.VOID: (frozenset({Status.REQUIRES_PAYER, Status.AUTHORISED}), Status.VOIDED),
    Operation.REFUND: (frozenset({Status.CAPTURED}), Status.REFUNDED),
}


class BankError(Exception):
    """A refusal: an HTTP status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


def unknown_payment() -> BankError:
    return BankError(404, "payment_unknown", "There is no payment with this id.")


def payment_differs() -> BankError:
    return BankError(409, "payment_differs", "This key was used for another payment. Use a new key for a new payment.")


def key_reused() -> BankError:
    return BankError(409, "key_reused", "This Idempotency-Key was used for another operation. Use a new one.")


def capture_refused() -> BankError:
    return BankError(409, "capture_refused", "The card's bank refuses this capture for good. Void the payment.")


def expired() -> BankError:
    return BankError(409, "expired", "The time to pay has passed. Start again from the shop.")


def not_possible(operation: str, status: Status) -> BankError:
    return BankError(409, f"{operation}_not_possible", f"A payment that is {status} cannot be changed by {operation}.")


def next_status(operation: Operation, status: Status) -> Status:
    """The status after an operation. Raises BankError when it is not allowed from here."""
    sources, target = OPERATIONS[operation]
    if status not in sources:
        raise not_possible(operation, status)
    return target
