"""The customer record on the wire."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from crm_bridge.api.schemas import Code, ContactPointOut, CustomerSummary, Id, In, Name, OptionalId, Out
from crm_bridge.vocabulary import (
    ContactUsage,
    CustomerKind,
    DataClass,
    FieldGroup,
    FieldType,
    PartyKind,
    PreferenceKind,
    PreferenceSource,
)

IdIn = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Minute = Annotated[int, Field(ge=0, le=1440)]


class CustomerPatch(In):
    """Fields to change. One that is not named stays; null empties it."""

    display_name: Name = ""
    kind: CustomerKind = CustomerKind.PERSON
    preferred_language: Code | None = None
    party_kind: PartyKind = PartyKind.EXTERNAL
    lifecycle_stage: Code | None = None
    family_name: ShortText | None = None
    given_name: ShortText | None = None
    gender: Code | None = None
    birth_date: date | None = None
    occupation: ShortText | None = None
    timezone: Code | None = None
    region_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    address: LongText | None = None
    legal_name: ShortText | None = None
    tax_number: Code | None = None
    industry: ShortText | None = None
    parent_id: IdIn | None = None
    team_id: Code | None = None
    custom: Annotated[dict[str, Any], Field(max_length=200)] = {}
    source: Annotated[Literal["self"], Field(description="The customer entered this, by a form or at a kiosk.")] = (
        "self"
    )


class PreferenceIn(In):
    """A way to reach the customer for a purpose. Minutes count from the customer's midnight."""

    purpose: Code
    channel: Code
    language: Code | None = None
    from_minute: Minute | None = None
    to_minute: Minute | None = None
    weekdays: Annotated[list[Code], Field(max_length=7)] = []
    source: PreferenceSource | None = None


class PersonalPreferenceIn(In):
    """Something to remember; `noted_at` is when it was said or seen, now unless told otherwise."""

    kind: PreferenceKind
    value: ShortText
    source: PreferenceSource = PreferenceSource.AGENT
    noted_at: AwareDatetime | None = None


class PreferencesIn(In):
    """All preferences; for each purpose the first is the favourite."""

    preferences: Annotated[list[PreferenceIn], Field(max_length=50)]


class TagIn(In):
    """A tag, with its end when it must not stay for ever."""

    tag: Code
    expires_at: AwareDatetime | None = None


class TagsIn(In):
    """All tags."""

    tags: Annotated[list[TagIn], Field(max_length=50)]


class LevelChoiceIn(In):
    """The level a person chooses; null leaves it to the rules."""

    code: Code | None
    reason: ShortText | None = None


class RelationIn(In):
    """The customer of the path is `type` of this other one."""

    to_id: IdIn
    type: Code
    note: ShortText | None = None


class IdentityIn(In):
    """A member number, messaging id or key in another system."""

    provider: Code
    external_id: ShortText


class AttachmentIn(In):
    """A file whose bytes lie elsewhere."""

    file_name: ShortText
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}$")]
    size_bytes: Annotated[int, Field(ge=0, le=10**12)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    storage_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,100}$")]


class ContactPointPatch(In):
    """What to change about a number or address."""

    usage: ContactUsage | None = None
    is_primary: Literal[True] | None = None


class PreferenceOut(Out):
    """A way to reach the customer for a purpose, 1 first."""

    purpose: str
    channel: str
    rank: int
    language: str | None
    from_minute: int | None
    to_minute: int | None
    weekdays: list[str]
    source: PreferenceSource | None
    noted_at: datetime | None


class PersonalPreferenceOut(Out):
    """Something to remember about the customer's taste, where it is known from, and since when."""

    id: Id
    kind: PreferenceKind
    value: str
    source: PreferenceSource
    noted_at: datetime
    noted_by: str | None


class RelationOut(Out):
    """`from_id` is `type` of `to_id`."""

    id: Id
    from_id: Id
    to_id: Id
    type: str
    note: str | None


class IdentityOut(Out):
    """The customer's name elsewhere."""

    id: Id
    provider: str
    external_id: str


class OwnerOut(Out):
    """Who looks after the customer."""

    user_id: str
    line_of_business: str
    since_at: datetime
    reason: str


class TagOut(Out):
    """A tag."""

    tag: str
    added_at: datetime
    added_by: str | None
    expires_at: datetime | None


class LevelOut(Out):
    """A level with its badge."""

    code: str
    name: str
    rank: int
    colour: str
    rule: list[dict[str, Any]] | None


class LevelDefinitionIn(In):
    """A level, and the rule by which customers get it; without one only people give it."""

    name: ShortText
    rank: Annotated[int, Field(ge=0, le=1000)]
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
    rule: Annotated[list[dict[str, Any]], Field(max_length=20)] | None = None


class FieldIn(In):
    """A custom field."""

    label: ShortText
    type: FieldType
    field_group: FieldGroup = FieldGroup.RELATED
    data_class: DataClass = DataClass.PERSONAL
    is_required: bool = False
    options: Annotated[list[ShortText], Field(max_length=200)] = []
    minimum: Code | None = None
    maximum: Code | None = None
    purpose: ShortText | None = None


class FieldOut(Out):
    """A custom field."""

    code: str
    label: str
    type: FieldType
    field_group: FieldGroup
    data_class: DataClass
    is_required: bool
    options: list[str]
    minimum: str | None
    maximum: str | None
    purpose: str | None


class CompletenessOut(Out):
    """What is known of a group of fields."""

    filled: int
    total: int
    percent: int
    missing: list[str]


class ProfileOut(Out):
    """The fields of a record beside name and numbers. Custom fields of a sensitive class are not among `custom`."""

    party_kind: PartyKind
    lifecycle_stage: str | None
    family_name: str | None
    given_name: str | None
    gender: str | None
    birth_date: date | None
    occupation: str | None
    timezone: str | None
    region_code: str | None
    address: str | None
    legal_name: str | None
    tax_number: str | None
    industry: str | None
    parent_id: OptionalId
    owner_id: str | None
    team_id: str | None
    level_is_manual: bool
    custom: dict[str, Any]


class RecordOut(CustomerSummary):
    """Everything that is written about a customer, but for the timeline."""

    profile: ProfileOut
    contact_points: list[ContactPointOut]
    identities: list[IdentityOut]
    preferences: list[PreferenceOut]
    personal_preferences: list[PersonalPreferenceOut]
    relations: list[RelationOut]
    owners: list[OwnerOut]
    tags: list[TagOut]
    level_badge: LevelOut | None
    merged_into: OptionalId
    completeness: dict[FieldGroup, CompletenessOut]


class AttachmentOut(Out):
    """A file about the customer."""

    id: Id
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    storage_key: str
    author_id: str | None
    created_at: datetime


class MovedOut(BaseModel):
    """How many it were."""

    count: int
