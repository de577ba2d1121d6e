//! The fixed words of the wire contract that no type of the model stands for.

use email_model::{Classification, MeetingMethod};
use gateway_operations::{Access, Omitted, RecycleKey};
use serde::Serialize;
use utoipa::ToSchema;

/// Names the account that an application's credentials are used for.
pub(crate) const ACCOUNT_ID_HEADER: &str = "X-Aurinko-Account-Id";

/// Names a send that is done once.
pub(crate) const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";

/// Carries a request's id in the response.
pub(crate) const REQUEST_ID_HEADER: &str = "x-request-id";

/// Names the operation by which a code becomes a token.
pub(crate) const CODE_EXCHANGE: &str = "authCodeExchange";

/// Names of the security schemes in the OpenAPI document.
pub(crate) mod security {
    /// An account's token.
    pub(crate) const ACCOUNT_TOKEN: &str = "AccountToken";
    /// An application's credentials.
    pub(crate) const APP_AUTH: &str = "AppAuth";
    /// The header that goes with them.
    pub(crate) const ACCOUNT_ID_HEADER: &str = "AccountIdHeader";
}

/// What an account's token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum Scope {
    /// Read mail.
    #[serde(rename = "Mail.Read")]
    Read,
    /// Read and change mail, not send.
    #[serde(rename = "Mail.ReadWrite")]
    ReadWrite,
    /// Send mail.
    #[serde(rename = "Mail.Send")]
    Send,
    /// Write drafts.
    #[serde(rename = "Mail.Drafts")]
    Drafts,
    /// Everything.
    #[serde(rename = "Mail.All")]
    All,
}

impl Scope {
    /// All of them.
    pub(crate) const EVERY: [Self; 5] = [
        Self::Read,
        Self::ReadWrite,
        Self::Send,
        Self::Drafts,
        Self::All,
    ];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "Mail.Read",
            Self::ReadWrite => "Mail.ReadWrite",
            Self::Send => "Mail.Send",
            Self::Drafts => "Mail.Drafts",
            Self::All => "Mail.All",
        }
    }

    /// The scope of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|scope| scope.name() == name)
    }

    /// The access that it stands for.
    pub(crate) fn access(self) -> Access {
        match self {
            Self::Read => Access::READ,
            Self::ReadWrite => Access::READ | Access::MODIFY,
            Self::Send => Access::SEND,
            Self::Drafts => Access::DRAFTS,
            Self::All => Access::all(),
        }
    }

    /// What is left of these scopes where no more than this is granted.
    pub(crate) fn within(scopes: &[Self], granted: Access) -> Vec<Self> {
        if granted.is_all() {
            return scopes.to_vec();
        }
        let wanted = scopes
            .iter()
            .fold(Access::empty(), |all, one| all | one.access());
        let left = wanted & granted;
        let reading = if left.contains(Self::ReadWrite.access()) {
            Self::ReadWrite
        } else {
            Self::Read
        };
        [reading, Self::Send, Self::Drafts]
            .into_iter()
            .filter(|scope| left.contains(scope.access()))
            .collect()
    }
}

/// A kind of message or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SysLabel {
    /// In the inbox.
    Inbox,
    /// Sent.
    Sent,
    /// A draft.
    Draft,
    /// In the trash.
    Trash,
    /// In junk.
    Junk,
    /// Important.
    Important,
    /// Not read.
    Unread,
    /// Flagged.
    Flagged,
}

/// What is known of an account's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TokenStatus {
    /// They work.
    Active,
    /// The provider refused them lately; calls are still tried now and then.
    Invalid,
    /// They will never work again.
    Dead,
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum AccountType {
    /// A mailbox by its own credentials.
    Personal,
}

/// What a representation of a message did not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OmittedField {
    /// The conversation.
    ThreadId,
    /// The body.
    Body,
    /// The attachment list.
    Attachments,
    /// Addresses, and with them subject and dates.
    Recipients,
    /// Header fields.
    InternetHeaders,
}

/// The tab into which the mailbox sorted a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SysClassification {
    /// From people.
    Personal,
    /// From social networks.
    Social,
    /// Offers.
    Promotions,
    /// Receipts, notices.
    Updates,
    /// Mailing lists.
    Forums,
}

/// `Sensitivity` of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sensitivity {
    /// No restriction.
    Normal,
    /// Private.
    Private,
    /// Personal.
    Personal,
    /// Company-confidential.
    Confidential,
}

/// Method of a calendar part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MeetingMessageMethod {
    /// Invitation.
    Request,
    /// Answer.
    Reply,
    /// Cancellation.
    Cancel,
    /// Counter-proposal.
    Counter,
    /// Anything else.
    Other,
}

/// A field by which an existing account is proposed for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ServiceKey {
    /// Address.
    Email,
    /// The provider's organisation.
    OrgId,
    /// The client's user.
    UserId,
    /// Server.
    ServerUrl,
    /// Login name.
    Username,
    /// The client's organisation.
    ClientOrgId,
}

impl ServiceKey {
    /// The key of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "email" => Some(Self::Email),
            "orgId" => Some(Self::OrgId),
            "userId" => Some(Self::UserId),
            "serverUrl" => Some(Self::ServerUrl),
            "username" => Some(Self::Username),
            "clientOrgId" => Some(Self::ClientOrgId),
            _ => None,
        }
    }
}

impl From<ServiceKey> for RecycleKey {
    fn from(key: ServiceKey) -> Self {
        match key {
            ServiceKey::Email => Self::Email,
            ServiceKey::OrgId => Self::OrgId,
            ServiceKey::UserId => Self::UserId,
            ServiceKey::ServerUrl => Self::ServerUrl,
            ServiceKey::Username => Self::Username,
            ServiceKey::ClientOrgId => Self::ClientOrgId,
        }
    }
}

/// It worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum OkStatus {
    /// It worked.
    Ok,
}

/// Whether a draft was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum SendStatus {
    /// It went out.
    Ok,
    /// It will.
    Scheduled,
}

/// Whether everything was done after a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum ProcessingStatus {
    /// Everything.
    Ok,
    /// Not everything.
    Incomplete,
}

/// A step after a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FailedStep {
    /// Its keywords.
    Keywords,
    /// Its ids.
    ReturnIds,
}

/// How far a scheduled send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ScheduledStatus {
    /// Waits for its time.
    Scheduled,
    /// Went out.
    Sent,
    /// Did not go out.
    Failed,
}

/// The words of the model and of the wire, variant by variant.
macro_rules! same_words {
    ($model:path => $wire:ident { $($variant:ident),+ }) => {
        impl From<$model> for $wire {
            fn from(value: $model) -> Self {
                match value {
                    $(<$model>::$variant => Self::$variant,)+
                }
            }
        }
    };
}

same_words!(Omitted => OmittedField { ThreadId, Body, Attachments, Recipients, InternetHeaders });
same_words!(Classification => SysClassification { Personal, Social, Promotions, Updates, Forums });
same_words!(email_model::Sensitivity => Sensitivity { Normal, Private, Personal, Confidential });
same_words!(MeetingMethod => MeetingMessageMethod { Request, Reply, Cancel, Counter, Other });
same_words!(gateway_operations::FailedStep => FailedStep { Keywords, ReturnIds });
same_words!(gateway_operations::ScheduledStatus => ScheduledStatus { Scheduled, Sent, Failed });
same_words!(gateway_operations::TokenStatus => TokenStatus { Active, Invalid, Dead });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_cut_down_to_what_is_granted() {
        let read = Access::READ;
        for (scopes, granted, left) in [
            (vec![Scope::All], Access::all(), vec![Scope::All]),
            (vec![Scope::All], read, vec![Scope::Read]),
            (
                vec![Scope::All],
                read | Access::MODIFY | Access::SEND,
                vec![Scope::ReadWrite, Scope::Send],
            ),
            (vec![Scope::ReadWrite], read, vec![Scope::Read]),
            (vec![Scope::Send], read, vec![]),
            (vec![Scope::Read], read | Access::SEND, vec![Scope::Read]),
        ] {
            assert_eq!(Scope::within(&scopes, granted), left);
        }
    }
}
