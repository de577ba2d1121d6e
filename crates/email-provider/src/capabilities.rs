use email_model::FolderRole;
use serde::Serialize;

/// Facts of this connected mailbox, as degrees. A request that cannot be honoured is refused by
/// name, never half done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// One folder a message, or any number of labels.
    pub folders: FolderModel,
    /// Where conversations come from.
    pub threads: ThreadModel,
    /// What `q` can do at the backend.
    pub search: SearchCapability,
    /// User keywords can be stored.
    pub keywords: bool,
    /// Folders can be created.
    pub create_folders: bool,
    /// A message keeps its identity at the backend when it moves.
    pub native_identity: bool,
    /// A level check (has anything changed?) costs one round trip.
    pub cheap_level_check: bool,
    /// Changes are pushed.
    pub push: bool,
    /// Largest message accepted, in octets, where the backend tells.
    pub largest_message: Option<u64>,
    /// Roles for which a folder is known.
    pub roles: Vec<FolderRole>,
}

/// Whether a message has one place or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FolderModel {
    /// Exactly one folder; a copy is another message.
    Folders,
    /// Any number of labels.
    Labels,
}

/// Who groups messages into conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ThreadModel {
    /// The backend.
    Native,
    /// The gateway, from References and In-Reply-To.
    Derived,
}

/// How far the backend searches by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SearchCapability {
    /// Headers and bodies.
    FullText,
    /// Headers only.
    Headers,
    /// Not at all.
    None,
}
