//! What is known of an account's mailbox: additions to the contract.

use chrono::{DateTime, Utc};
use email_model::FolderRole;
use email_provider::Capabilities;
use gateway_operations::QuarantinedFolder;
use serde::Serialize;
use utoipa::ToSchema;

/// Facts of a connected mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MailboxCapabilities {
    /// One folder a message, or any number of labels.
    folders: FolderModel,
    /// Who groups messages into conversations.
    threads: ThreadModel,
    /// What the mailbox searches by itself.
    search: SearchCapability,
    /// User keywords can be stored.
    keywords: bool,
    /// Folders can be created.
    create_folders: bool,
    /// Changes are pushed to the gateway.
    push: bool,
    /// Largest message accepted, in octets, where the mailbox tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_message: Option<u64>,
    /// Roles for which there is a folder.
    roles: Vec<Role>,
}

macro_rules! model_word {
    ($(#[$doc:meta])* $model:path => $wire:ident { $($variant:ident: $about:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub(crate) enum $wire {
            $(#[doc = $about] $variant,)+
        }

        impl From<$model> for $wire {
            fn from(value: $model) -> Self {
                match value {
                    $(<$model>::$variant => Self::$variant,)+
                }
            }
        }
    };
}

model_word! {
    /// Whether a message has one place or many.
    email_provider::FolderModel => FolderModel {
        Folders: "Exactly one folder; a copy is another message.",
        Labels: "Any number of labels.",
    }
}

model_word! {
    /// Who groups messages into conversations.
    email_provider::ThreadModel => ThreadModel {
        Native: "The provider.",
        Derived: "The gateway.",
    }
}

model_word! {
    /// How far a mailbox searches by itself.
    email_provider::SearchCapability => SearchCapability {
        FullText: "Headers and bodies.",
        Headers: "Headers only.",
        None: "Not at all.",
    }
}

model_word! {
    /// What a folder is for.
    FolderRole => Role {
        Inbox: "Incoming mail.",
        Sent: "Sent mail.",
        Drafts: "Drafts.",
        Trash: "Deleted, not yet gone.",
        Junk: "Spam.",
        Archive: "Archive.",
        All: "A view of all mail.",
        Flagged: "A view of flagged mail.",
        Important: "A view of important mail.",
    }
}

impl From<Capabilities> for MailboxCapabilities {
    fn from(facts: Capabilities) -> Self {
        Self {
            folders: facts.folders.into(),
            threads: facts.threads.into(),
            search: facts.search.into(),
            keywords: facts.keywords,
            create_folders: facts.create_folders,
            push: facts.push,
            largest_message: facts.largest_message,
            roles: facts.roles.into_iter().map(Into::into).collect(),
        }
    }
}

/// How far an account is synchronised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncProgress {
    /// The asked-for window has been scanned.
    ready: bool,
    /// Messages found so far.
    messages: u64,
    /// Messages in all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Changes before this moment are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<DateTime<Utc>>,
    /// Start of the last comparison in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventoried_at: Option<DateTime<Utc>>,
    /// Folders that cannot be read now.
    quarantined: Vec<Quarantined>,
}

impl From<gateway_operations::SyncProgress> for SyncProgress {
    fn from(progress: gateway_operations::SyncProgress) -> Self {
        Self {
            ready: progress.ready,
            messages: progress.messages,
            total: progress.total,
            verified_at: progress.verified_at,
            inventoried_at: progress.inventoried_at,
            quarantined: progress.quarantined.into_iter().map(Into::into).collect(),
        }
    }
}

/// A folder that cannot be read now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quarantined {
    /// Its path.
    folder: String,
    /// Since when.
    since: DateTime<Utc>,
    /// Why.
    reason: String,
}

impl From<QuarantinedFolder> for Quarantined {
    fn from(quarantined: QuarantinedFolder) -> Self {
        Self {
            folder: quarantined.folder,
            since: quarantined.since,
            reason: quarantined.reason,
        }
    }
}
