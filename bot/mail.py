"""One mail by SMTP: sent, put off, refused, or, when the server falls silent, nobody knows."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from urllib.parse import urlsplit

from bot.settings import Mail

_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OK = 250
_FOR_GOOD = 500
# Of 7 bits, so that no server between here and there has to turn it into anything.
_POLICY = SMTP.clone(cte_type="7bit")


class MailTrouble(Exception):
    """A mail was not sent. The text names neither the address nor what is in the mail."""


class MailLater(MailTrouble):
    """Not now: the server does not answer, or says so. It may be tried again."""


class MailRefused(MailTrouble):
    """Not like this, now or later."""


class MailUnsure(MailTrouble):
    """The connection was lost after the mail had gone and before the server's word for it."""


def send(
    server: Mail, to: str, subject: str, body: str, key: str, handing: Callable[[], None]
) -> None:
    """Send a mail to one address; blocks, so run it in a thread.

    `key` makes the Message-ID. `handing` is called when the mail is about to go over: until
    then it is certain that it has not. Raises MailLater, MailRefused, MailUnsure.
    """
    sender = parseaddr(server.sender)[1]
    try:
        mail = EmailMessage(policy=_POLICY)
        mail["From"], mail["To"], mail["Subject"] = server.sender, to, subject
        mail["Date"] = formatdate(usegmt=True)
        mail["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
        # https://www.rfc-editor.org/rfc/rfc3834#section-5: no out-of-office answers, please.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body)
        written = mail.as_bytes()
        to.encode("ascii")
        if parseaddr(to) != ("", to):
            raise ValueError("not one address, and nothing else")
    except (ValueError, UnicodeError):
        raise MailRefused("the address cannot be written in a mail") from None
    smtp = _connected(server)
    try:
        try:
            _took(*smtp.mail(sender))
            _took(*smtp.rcpt(to))
        except smtplib.SMTPServerDisconnected as error:
            raise MailLater(type(error).__name__) from None
        except OSError as error:
            raise MailLater(type(error).__name__) from None
        handing()
        try:
            _took(*smtp.data(written))
        except smtplib.SMTPDataError as error:
            _took(error.smtp_code, b"")
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnsure(type(error).__name__) from None
    finally:
        _leave(smtp)


def ask(server: Mail) -> str:
    """Return who answers at the server, sending nothing: for ``bot check --online``.

    Raises MailTrouble.
    """
    smtp = _connected(server)
    try:
        _took(*smtp.noop())
        how = "logged in" if server.user else "no login"
        return f"{urlsplit(server.url).netloc} answers, {how}"
    finally:
        _leave(smtp)


def _connected(server: Mail) -> smtplib.SMTP:
    parts = urlsplit(server.url)
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    smtp: smtplib.SMTP | None = None
    try:
        if parts.scheme == "smtps":
            smtp = smtplib.SMTP_SSL(host, port, timeout=server.timeout_seconds, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=server.timeout_seconds)
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context)
            elif host not in _LOOPBACK:
                # A code in the clear is a code for everybody on the way.
                raise MailRefused("the server does not offer STARTTLS")
        if server.user:
            smtp.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        _leave(smtp)
        # A server too busy to look a password up says 4xx.
        _took(error.smtp_code, b"")
        raise
    except MailRefused:
        _leave(smtp)
        raise
    except smtplib.SMTPNotSupportedError:
        _leave(smtp)
        raise MailRefused("the server takes no login") from None
    except (smtplib.SMTPException, OSError) as error:
        _leave(smtp)
        raise MailLater(type(error).__name__) from None
    return smtp


def _took(code: int, _: bytes) -> None:
    # The server's words may quote the address.
    if code >= _FOR_GOOD:
        raise MailRefused(f"the server says {code}")
    if code < 0 or code // 100 != _OK // 100:
        raise MailLater(f"the server says {code}")


def _leave(smtp: smtplib.SMTP | None) -> None:
    if smtp is not None:
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()
