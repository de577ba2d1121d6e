//! Whose mailbox an access token opens.

use email_provider::{Call, ConnectedMailbox, MailboxIdentity, ProviderResult};
use serde::{Deserialize, Serialize};

use crate::{
    api::{Api, Prefer},
    error,
    folders::Roles,
    id_token, names,
};

/// What is stored of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    /// Who has signed in, where the authorisation server said so: what is not proved yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<id_token::User>,
    /// Whose mailbox it is.
    pub subject: Option<String>,
    /// The id that the API gives the user. Without it the subject is that id.
    pub user: Option<String>,
    /// The folders that have a role.
    pub folders: Option<Roles>,
}

impl Stored {
    /// What cannot be read is learned again.
    pub(crate) fn of(settings: &serde_json::Value) -> Self {
        Self::deserialize(settings).unwrap_or_default()
    }

    /// The id that the API gives the user.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref().or(self.subject.as_deref())
    }
}

/// Whether two connections are of one mailbox, however its user had signed in.
pub(crate) fn is_same(earlier: &Stored, later: &Stored) -> Option<bool> {
    Some(earlier.user()? == later.user()?)
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

/// The address is the mailbox's own word; the identity is that of the user, which stays when the address changes.
///
/// The authorisation server names the user by tenant and object. Where only tokens are there, the API's id stands for
/// both: it is a UUID that no other tenant has, or the number of a personal account. The tenant's own id cannot be asked
/// for: only who has a role in the directory may read it.
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
    let id = user.id.to_ascii_lowercase();
    let signed_in = Stored::of(&mailbox.connection.settings).signed_in;
    let subject = signed_in.map_or_else(|| id.clone(), |user| user.subject());
    let roles = Roles::of(api, call).await?;
    let stored = Stored {
        signed_in: None,
        user: Some(id),
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
    fn a_mailbox_is_the_same_however_its_user_had_signed_in() {
        let stored = |settings| Stored::of(&settings);
        let by_tokens = stored(serde_json::json!({"subject": "48d3"}));
        let by_code = stored(serde_json::json!({"subject": "72f9:48d3", "user": "48d3"}));
        let other = stored(serde_json::json!({"subject": "72f9:59e4", "user": "59e4"}));
        assert_eq!(is_same(&by_tokens, &by_code), Some(true));
        assert_eq!(is_same(&by_code, &other), Some(false));
        assert_eq!(is_same(&Stored::default(), &by_code), None);
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
