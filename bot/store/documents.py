"""Every collection there is; each process makes those that are missing."""

from __future__ import annotations

from bot.store.articles import Edition, StoredArticle, StoredVector
from bot.store.cases import Case
from bot.store.consents import Consent, OptOut, OptOutKey
from bot.store.conversations import Conversation
from bot.store.customers import Customer, LinkCode, LinkTry, Merge
from bot.store.dead_letters import DeadLetter
from bot.store.deeds import Deed
from bot.store.files import StoredFile
from bot.store.gaps import Gap
from bot.store.journal import Entry
from bot.store.lessons import Gathered, Lesson
from bot.store.live import LiveResponses
from bot.store.memory import Fact, Forgetting, Quiet
from bot.store.messages import Message
from bot.store.models import ModelInUse, StoredModel
from bot.store.notices import Notice
from bot.store.presence import Listening
from bot.store.proofs import Challenge, Miss, Proof, ProofTry
from bot.store.reviews import Review
from bot.store.slack import SlackPost, SlackThread
from bot.store.spending import Spending
from bot.store.steps import Allowance, Step, Undertaking
from bot.store.translations import Kept
from bot.store.turns import Turn
from bot.store.usage import Usage, UsageMark

DOCUMENTS = (
    Message,
    Conversation,
    Turn,
    DeadLetter,
    Notice,
    StoredFile,
    Customer,
    Merge,
    LinkCode,
    LinkTry,
    Challenge,
    ProofTry,
    Proof,
    Miss,
    Consent,
    OptOut,
    OptOutKey,
    StoredArticle,
    StoredVector,
    Edition,
    Gap,
    Case,
    Entry,
    Deed,
    Review,
    SlackThread,
    SlackPost,
    Spending,
    StoredModel,
    ModelInUse,
    LiveResponses,
    Lesson,
    Fact,
    Quiet,
    Forgetting,
    Usage,
    UsageMark,
    Gathered,
    Step,
    Undertaking,
    Allowance,
    Kept,
    Listening,
)
