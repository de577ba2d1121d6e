//! Whose mailbox an access token opens.

use email_provider::{Call, ConnectedMailbox, MailboxIdentity, ProviderResult};
use serde::{Deserialize, Serialize};

use crate::{
    api::{Api, Prefer},
    error,
    folders::Roles,
    names,
};

/// What is stored of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    /// Whose mailbox it is.
    pub subject: Option<String>,
    /// The folders that have a role.
    pub folders: Option<Roles>,
}

impl Stored {
    /// What cannot be read is learned again.
    pub(crate) fn of(settings: &serde_json::Value) -> Self {
        Self::deserialize(settings).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    user_principal_name: Option<String>,
}

/// The address is the mailbox's own word; the identity is the user's id, which stays when the address changes.
///
/// An id is a UUID that no other tenant has, or the number of a personal account. The tenant's own id is not asked for: only
/// who has a role in the directory may read it.
pub(crate) async fn prove(
    api: &Api,
    call: Call,
    mut mailbox: ConnectedMailbox,
) -> ProviderResult<ConnectedMailbox> {
    let me = names::me().with("$select", "id,mail,userPrincipalName");
    let user: User = api.read(call, me, Prefer::default()).await?;
    if !is_word(&user.id) {
        return Err(error::unreadable());
    }
    let subject = user.id.to_ascii_lowercase();
    let roles = Roles::of(api, call).await?;
    let stored = Stored {
        subject: Some(subject.clone()),
        folders: Some(roles),
    };
    // Text and lists of text have a JSON form.
    mailbox.connection.settings = serde_json::to_value(&stored).unwrap_or_default();
    mailbox.identity = MailboxIdentity { subject };
    let told = [user.mail, user.user_principal_name].into_iter().flatten();
    if let Some(email) = told.into_iter().find(|email| is_address(email)) {
        mailbox.login.clone_from(&email);
        mailbox.email = Some(email);
    }
    Ok(mailbox)
}

fn is_word(id: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(is_usual)
}

fn is_address(text: &str) -> bool {
    text.len() <= 320 && text.contains('@') && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word() {
        assert!(is_word("48d31887-5fad-4d73-a9f5-3c356e68a038") && is_word("0123456789abcdef"));
        assert!(!is_word("a/b") && !is_word("") && !is_word("a.b"));
    }

    #[test]
    fn settings_of_another_form_are_learned_again() {
        for settings in [
            serde_json::Value::Null,
            serde_json::json!({}),
            serde_json::json!({"folders": 5}),
        ] {
            assert!(Stored::of(&settings).folders.is_none());
        }
    }
}
