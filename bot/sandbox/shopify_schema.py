"""The part of Shopify's schema that the stand-in has; all else is refused, as the real one would.

https://shopify.dev/docs/api/admin-graphql/latest, at the objects' and mutations' pages.
"""

from __future__ import annotations

from bot.sandbox.graphql import Schema

SCHEMA: Schema = {
    "QueryRoot": {
        "shop": "Shop",
        "orders": "OrderConnection",
        "customerByIdentifier": "Customer",
    },
    "Mutation": {
        "orderCancel": "OrderCancelPayload",
        "orderUpdate": "OrderUpdatePayload",
        "refundCreate": "RefundCreatePayload",
        "customerSendAccountInviteEmail": "CustomerSendAccountInviteEmailPayload",
        "orderInvoiceSend": "OrderInvoiceSendPayload",
    },
    "Shop": {"id": "", "name": "", "currencyCode": ""},
    "OrderConnection": {"nodes": "[Order]", "pageInfo": "PageInfo"},
    "PageInfo": {"hasNextPage": "", "endCursor": "", "hasPreviousPage": "", "startCursor": ""},
    "Order": {
        "id": "",
        "name": "",
        "createdAt": "",
        "cancelledAt": "",
        "displayFulfillmentStatus": "",
        "email": "",
        "phone": "",
        "totalReceivedSet": "MoneyBag",
        "totalRefundedSet": "MoneyBag",
        "cancellation": "OrderCancellation",
        "shippingAddress": "MailingAddress",
        "lineItems": "LineItemConnection",
        "fulfillments": "[Fulfillment]",
        "refunds": "[Refund]",
        "transactions": "[OrderTransaction]",
    },
    "OrderCancellation": {"staffNote": ""},
    "MoneyBag": {"presentmentMoney": "MoneyV2", "shopMoney": "MoneyV2"},
    "MoneyV2": {"amount": "", "currencyCode": ""},
    "MailingAddress": {
        "name": "",
        "address1": "",
        "address2": "",
        "city": "",
        "province": "",
        "zip": "",
        "countryCodeV2": "",
    },
    "LineItemConnection": {"nodes": "[LineItem]", "pageInfo": "PageInfo"},
    "LineItem": {"title": "", "quantity": ""},
    "Fulfillment": {
        "displayStatus": "",
        "createdAt": "",
        "inTransitAt": "",
        "deliveredAt": "",
        "estimatedDeliveryAt": "",
        "trackingInfo": "[FulfillmentTrackingInfo]",
    },
    "FulfillmentTrackingInfo": {"company": "", "number": "", "url": ""},
    "Refund": {"id": "", "note": "", "totalRefundedSet": "MoneyBag"},
    "OrderTransaction": {
        "id": "",
        "kind": "",
        "status": "",
        "gateway": "",
        "parentTransaction": "OrderTransaction",
        "amountSet": "MoneyBag",
    },
    "Customer": {
        "id": "",
        "displayName": "",
        "state": "",
        "defaultEmailAddress": "CustomerEmailAddress",
        "defaultPhoneNumber": "CustomerPhoneNumber",
    },
    "CustomerEmailAddress": {"emailAddress": ""},
    "CustomerPhoneNumber": {"phoneNumber": ""},
    "Job": {"id": "", "done": ""},
    "UserError": {"field": "", "message": ""},
    "CodedError": {"field": "", "message": "", "code": ""},
    "OrderCancelPayload": {
        "job": "Job",
        "orderCancelUserErrors": "[CodedError]",
        "userErrors": "[UserError]",
    },
    "OrderUpdatePayload": {"order": "Order", "userErrors": "[UserError]"},
    "RefundCreatePayload": {"order": "Order", "refund": "Refund", "userErrors": "[UserError]"},
    "CustomerSendAccountInviteEmailPayload": {
        "customer": "Customer",
        "userErrors": "[CodedError]",
    },
    "OrderInvoiceSendPayload": {"order": "Order", "userErrors": "[CodedError]"},
}

#: Fields' arguments; of those that are input objects (lists of them, too) the fields.
INPUTS: dict[str, dict[str, frozenset[str] | None]] = {
    "shop": {},
    "orders": dict.fromkeys(("first", "after", "query", "sortKey", "reverse")),
    "customerByIdentifier": {
        "identifier": frozenset({"id", "emailAddress", "phoneNumber", "customId"})
    },
    "orderCancel": {
        **dict.fromkeys(("orderId", "reason", "restock", "refund", "notifyCustomer", "staffNote")),
        "refundMethod": frozenset({"originalPaymentMethodsRefund", "storeCreditRefund"}),
    },
    "orderUpdate": {
        "input": frozenset({"id", "shippingAddress", "note", "email", "tags", "customAttributes"})
    },
    "refundCreate": {
        "input": frozenset(
            {
                *("orderId", "note", "notify", "currency", "transactions", "refundLineItems"),
                *("shipping", "allowOverRefunding", "discrepancyReason", "processedAt"),
            }
        )
    },
    "customerSendAccountInviteEmail": dict.fromkeys(("customerId", "email")),
    "orderInvoiceSend": {
        "id": None,
        "email": frozenset({"to", "from", "bcc", "subject", "body", "customMessage"}),
    },
}
