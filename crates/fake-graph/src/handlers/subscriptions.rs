//! `subscriptions`, but for the validation of a new one's URLs.

use serde_json::{Value, json};

use super::{Request, mailbox, mailbox_mut};
use crate::answer::Answer;
use crate::encoding::parse_instant;
use crate::error::ApiError;
use crate::mailbox::{Mailbox, Subscription};
use crate::settings::Settings;
use crate::subscribe::Proposal;
use crate::world::World;

const MOST: usize = 1000;
const LONGEST_STATE: usize = 128;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::wrong(400, "InvalidRequest", message)
}

/// Checks what is asked for; whether it comes to be depends on its URLs.
pub(super) fn propose(world: &mut World, request: &Request) -> Result<Proposal, ApiError> {
    let text = |name: &str| {
        request
            .text(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid(format!("Subscription's {name} is missing.")))
    };
    let resource = text("resource")?;
    let mailbox = mailbox(world, request)?;
    let folder = resource_folder(mailbox, resource)?;
    let change_types: Vec<String> = text("changeType")?
        .split(',')
        .map(|one| one.trim().to_owned())
        .collect();
    if !change_types
        .iter()
        .all(|one| matches!(one.as_str(), "created" | "updated" | "deleted"))
    {
        return Err(invalid("ChangeType is not valid."));
    }
    let notification_url = url(text("notificationUrl")?)?;
    let lifecycle_url = request
        .text("lifecycleNotificationUrl")
        .map(url)
        .transpose()?;
    let client_state = request.text("clientState").map(str::to_owned);
    if client_state
        .as_ref()
        .is_some_and(|state| state.len() > LONGEST_STATE)
    {
        return Err(invalid("Subscription's clientState is too long."));
    }
    if request
        .field("includeResourceData")
        .and_then(Value::as_bool)
        .unwrap_or_default()
    {
        return Err(invalid("This server gives no resource data."));
    }
    let expires_ms = expiration(request, &world.settings)?;
    let live: Vec<&Subscription> = mailbox
        .subscriptions
        .values()
        .filter(|subscription| subscription.expires_ms > request.now_ms)
        .collect();
    if live.len() >= MOST {
        return Err(ApiError::refused(
            403,
            "ExtensionError",
            "Subscription limit reached.",
        ));
    }
    let same = |other: &&Subscription| {
        other.client == request.owner.client
            && other.folder == folder
            && other.change_types == change_types
            && other.notification_url == notification_url
    };
    if live.iter().any(same) {
        return Err(ApiError::refused(
            409,
            "Conflict",
            "A subscription with the same properties exists already.",
        ));
    }
    let user = request.user();
    let mailbox = mailbox_mut(world, request)?;
    let subscription = Subscription {
        id: mailbox.ids.guid(),
        client: request.owner.client.clone(),
        resource: resource.to_owned(),
        folder,
        change_types,
        notification_url,
        lifecycle_url,
        client_state,
        expires_ms,
        immutable: request.prefer.immutable_ids,
    };
    Ok(Proposal {
        user,
        subscription,
        timeout: world.settings.validation_timeout,
        context: request.context("subscriptions/$entity"),
    })
}

fn url(text: &str) -> Result<String, ApiError> {
    let parsed = url::Url::parse(text).map_err(|_| invalid("A notification URL is not valid."))?;
    if !matches!(parsed.scheme(), "https" | "http") {
        return Err(invalid("A notification URL must be HTTPS."));
    }
    Ok(text.to_owned())
}

/// The folder of `me/mailFolders('inbox')/messages`; none for `me/messages`.
fn resource_folder(mailbox: &Mailbox, resource: &str) -> Result<Option<String>, ApiError> {
    let wrong = || {
        invalid(format!(
            "The resource '{resource}' is not one of this server's."
        ))
    };
    let path = resource.trim_start_matches('/');
    let own = format!("users/{}/", mailbox.email.to_lowercase());
    let rest = path
        .strip_prefix("me/")
        .or_else(|| {
            path.to_lowercase()
                .starts_with(&own)
                .then(|| &path[own.len()..])
        })
        .ok_or_else(wrong)?;
    if rest.eq_ignore_ascii_case("messages") {
        return Ok(None);
    }
    let folder = rest
        .strip_prefix("mailFolders('")
        .and_then(|rest| rest.strip_suffix("')/messages"))
        .or_else(|| {
            rest.strip_prefix("mailFolders/")
                .and_then(|rest| rest.strip_suffix("/messages"))
        })
        .ok_or_else(wrong)?;
    mailbox.folder(folder)?;
    Ok(Some(folder.to_owned()))
}

fn expiration(request: &Request, settings: &Settings) -> Result<i64, ApiError> {
    let asked = request.text("expirationDateTime").and_then(parse_instant);
    let asked = asked.ok_or_else(|| invalid("Subscription's expirationDateTime is missing."))?;
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    if asked <= request.now_ms {
        return Err(invalid("Subscription expiration can't be in the past."));
    }
    if asked > request.now_ms + ms(settings.longest_subscription) {
        return Err(ApiError::wrong(
            400,
            "ExtensionError",
            "Subscription expiration can only be 10080 minutes in the future.",
        ));
    }
    Ok(asked.max(request.now_ms + ms(settings.shortest_subscription)))
}

pub(super) fn run(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let client = request.owner.client.clone();
    let now_ms = request.now_ms;
    if request.method.id == "subscriptions.list" {
        let mailbox = mailbox(world, request)?;
        let own = mailbox.subscriptions.values();
        let own = own.filter(|subscription| {
            subscription.client == client && subscription.expires_ms > now_ms
        });
        let value: Vec<Value> = own.map(Mailbox::subscription_json).collect();
        let value = json!({"@odata.context": request.context("subscriptions"), "value": value});
        return Ok(Answer::json(200, &value));
    }
    let settings = world.settings.clone();
    let id = request.segment("subscription");
    let mailbox = mailbox_mut(world, request)?;
    let missing = || ApiError::refused(404, "ResourceNotFound", "The object was not found.");
    let subscription = mailbox
        .subscriptions
        .get_mut(id)
        .filter(|subscription| subscription.client == client && subscription.expires_ms > now_ms)
        .ok_or_else(missing)?;
    match request.method.id {
        "subscriptions.delete" => {
            mailbox.subscriptions.remove(id);
            return Ok(Answer::empty(204));
        }
        "subscriptions.reauthorize" => return Ok(Answer::empty(204)),
        "subscriptions.update" => {
            let fields = request.body.as_object();
            if let Some(other) = fields
                .into_iter()
                .flatten()
                .find(|(key, _)| *key != "expirationDateTime")
            {
                return Err(invalid(format!(
                    "The property '{}' cannot be updated.",
                    other.0
                )));
            }
            subscription.expires_ms = expiration(request, &settings)?;
        }
        _ => {}
    }
    let mut value = Mailbox::subscription_json(subscription);
    value["@odata.context"] = request.context("subscriptions/$entity");
    Ok(Answer::json(200, &value))
}
