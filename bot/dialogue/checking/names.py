"""What Rasa 3.6 and this bot know by name; nothing of either is imported.

https://rasa.com/docs/rasa/components, .../policies, .../default-actions, .../domain
"""

from __future__ import annotations

#: Actions there are without any code.
ACTIONS = frozenset(
    [
        "action_listen",
        "action_restart",
        "action_session_start",
        "action_default_fallback",
        "action_deactivate_loop",
        "action_revert_fallback_events",
        "action_default_ask_affirmation",
        "action_default_ask_rephrase",
        "action_two_stage_fallback",
        "action_unlikely_intent",
        "action_back",
        "action_extract_slots",
        "...",
    ]
)
#: Intents there are without a word in the domain.
INTENTS = frozenset(["restart", "back", "out_of_scope", "session_start", "nlu_fallback"])
#: Intents that need no examples: the bot makes them of what is done rather than said.
MADE = INTENTS | frozenset(
    [
        "start",
        "share_image",
        "share_audio",
        "share_video",
        "share_document",
        "share_sticker",
        "share_location",
        "share_contact",
        "share_order",
        "share_unsupported",
    ]
)
#: Responses that are said without any rule: by Rasa's own actions, and by the brain.
RESPONSES = frozenset(
    [
        "utter_default",
        "utter_restart",
        "utter_ask_rephrase",
        "utter_apology",
        "utter_ask_continue",
        "utter_heard",
    ]
)
#: Slots that Rasa has by itself.
SLOTS = frozenset(["requested_slot", "session_started_metadata"])

COMPONENTS = frozenset(
    [
        "CRFEntityExtractor",
        "ConveRTFeaturizer",
        "CountVectorsFeaturizer",
        "DIETClassifier",
        "DucklingEntityExtractor",
        "EntitySynonymMapper",
        "FallbackClassifier",
        "JiebaTokenizer",
        "KeywordIntentClassifier",
        "LanguageModelFeaturizer",
        "LexicalSyntacticFeaturizer",
        "LogisticRegressionClassifier",
        "MitieEntityExtractor",
        "MitieFeaturizer",
        "MitieIntentClassifier",
        "MitieNLP",
        "MitieTokenizer",
        "RegexEntityExtractor",
        "RegexFeaturizer",
        "RegexMessageHandler",
        "ResponseSelector",
        "SklearnIntentClassifier",
        "SpacyEntityExtractor",
        "SpacyFeaturizer",
        "SpacyNLP",
        "SpacyTokenizer",
        "WhitespaceTokenizer",
    ]
)
POLICIES = frozenset(
    [
        "AugmentedMemoizationPolicy",
        "MemoizationPolicy",
        "RulePolicy",
        "TEDPolicy",
        "UnexpecTEDIntentPolicy",
    ]
)
#: Components that find entities which nobody has annotated.
EXTRACTORS = frozenset(["DucklingEntityExtractor", "SpacyEntityExtractor", "MitieEntityExtractor"])

TOKENIZERS = frozenset(name for name in COMPONENTS if name.endswith("Tokenizer"))
FEATURIZERS = frozenset(name for name in COMPONENTS if name.endswith("Featurizer"))
_DENSE = frozenset(
    ["ConveRTFeaturizer", "LanguageModelFeaturizer", "MitieFeaturizer", "SpacyFeaturizer"]
)
_INTENTS = frozenset(name for name in COMPONENTS if name.endswith("IntentClassifier"))
_NEEDS_TOKENS = ("a tokenizer, such as WhitespaceTokenizer", TOKENIZERS)
_NEEDS_FEATURES = ("a featurizer, such as CountVectorsFeaturizer", FEATURIZERS)
_NEEDS_MITIE = ("MitieNLP", frozenset(["MitieNLP"]))
#: What has to stand before a component: how it is called, and who is that.
NEEDS: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    **dict.fromkeys(FEATURIZERS - {"SpacyFeaturizer"}, (_NEEDS_TOKENS,)),
    "MitieFeaturizer": (_NEEDS_MITIE, _NEEDS_TOKENS),
    "MitieEntityExtractor": (_NEEDS_MITIE, _NEEDS_TOKENS),
    "MitieIntentClassifier": (_NEEDS_MITIE, _NEEDS_FEATURES),
    "SpacyFeaturizer": (("SpacyTokenizer", frozenset(["SpacyTokenizer"])),),
    "SpacyTokenizer": (("SpacyNLP", frozenset(["SpacyNLP"])),),
    "SpacyEntityExtractor": (("SpacyNLP", frozenset(["SpacyNLP"])),),
    "CRFEntityExtractor": (_NEEDS_TOKENS,),
    "DIETClassifier": (_NEEDS_FEATURES,),
    "ResponseSelector": (_NEEDS_FEATURES,),
    "LogisticRegressionClassifier": (_NEEDS_FEATURES,),
    "SklearnIntentClassifier": (
        ("a featurizer of dense features, such as SpacyFeaturizer", _DENSE),
    ),
    "FallbackClassifier": (
        ("a classifier of intents", _INTENTS | {"DIETClassifier", "LogisticRegressionClassifier"}),
    ),
}

CONFIG_KEYS = [
    "version",
    "recipe",
    "language",
    "pipeline",
    "policies",
    "assistant_id",
    "core_target",
    "nlu_target",
    "train_schema",
    "predict_schema",
    "spaces",
]

#: Of training data and domains.
VERSION = "3.1"

#: Keys a file may have at the top, Rasa reads all of them from any of its files.
DOMAIN_KEYS = [
    "version",
    "intents",
    "entities",
    "slots",
    "forms",
    "responses",
    "actions",
    "e2e_actions",
    "session_config",
    "config",
]
TRAINING_KEYS = ["version", "nlu", "stories", "rules", "responses"]

SLOT_TYPES = ("text", "bool", "categorical", "float", "list", "any")
SLOT_KEYS = ["type", "influence_conversation", "initial_value", "mappings", "value_reset_delay"]
#: Keys that slots of one type have beside those.
SLOT_TYPE_KEYS = {"categorical": ["values"], "float": ["min_value", "max_value"]}
MAPPINGS: dict[str, str] = {
    "from_entity": "entity",
    "from_text": "",
    "from_intent": "value",
    "from_trigger_intent": "value",
    "custom": "",
}
MAPPING_KEYS = [
    "type",
    "entity",
    "role",
    "group",
    "intent",
    "not_intent",
    "value",
    "action",
    "conditions",
]
FORM_KEYS = ("required_slots", "ignored_intents")
INTENT_KEYS = ("use_entities", "ignore_entities", "triggers", "is_retrieval_intent")
ENTITY_KEYS = ("roles", "groups", "influence_conversation")
SESSION_KEYS = ("session_expiration_time", "carry_over_slots_to_new_session")

RESPONSE_KEYS = [
    "text",
    "buttons",
    "button_type",
    "quick_replies",
    "image",
    "attachment",
    "custom",
    "elements",
    "channel",
    "condition",
    "metadata",
    "id",
]
#: Of these, a response needs at least one.
RESPONSE_CONTENT = ("text", "image", "custom", "attachment", "elements")
BUTTON_KEYS = ["title", "payload", "url", "type", "description", "image_url"]
CONDITION_KEYS = ("type", "name", "value")

STORY_KEYS = ("story", "steps", "metadata")
RULE_KEYS = ["rule", "steps", "condition", "conversation_start", "wait_for_user_input", "metadata"]
#: What a step may be, and the keys that may stand beside it.
STEPS: dict[str, tuple[str, ...]] = {
    "intent": ("user", "entities", "metadata"),
    "user": ("intent", "entities", "metadata"),
    "action": ("metadata",),
    "bot": ("metadata",),
    "or": (),
    # Before slots, which may be what a checkpoint depends on.
    "checkpoint": ("slot_was_set",),
    "slot_was_set": (),
    "active_loop": (),
}
NLU_KINDS = ("intent", "synonym", "regex", "lookup")
NLU_KEYS = ("examples", "metadata")

#: Channels of Rasa's own connectors, for those who run stock's server beside this bot.
RASA_CHANNELS = frozenset(
    [
        "rest",
        "callback",
        "socketio",
        "cmdline",
        "slack",
        "facebook",
        "mattermost",
        "rocketchat",
        "hangouts",
        "webexteams",
        "botframework",
        "twilio_voice",
    ]
)
