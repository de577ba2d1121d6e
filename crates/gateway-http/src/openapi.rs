//! The OpenAPI document, made from the handlers' annotations and from the types that are sent.

mod finish;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};

use crate::{
    routes::{
        account, accounts, auth, conversations, drafts, folders, messages, push, service, sync,
    },
    wire::{
        ApiRequestFailed, BodyType, ServiceKey,
        literals::{self, security},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Polypost",
        description = "One API for every mailbox. Errors have one shape, absent values are left out, \
                       times are RFC 3339 in UTC.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        sync::start::start,
        sync::updated::updated,
        sync::deleted::deleted,
        messages::list::list,
        messages::get::get,
        messages::delete::delete,
        messages::raw::raw,
        messages::status::status,
        messages::attachment::attachment,
        messages::send::send,
        messages::reply::reply,
        drafts::create::create,
        drafts::get::get,
        drafts::update::update,
        drafts::delete::delete,
        drafts::send::send,
        conversations::get::get,
        folders::list::list,
        folders::create::create,
        folders::chosen::chosen,
        folders::choose::choose,
        folders::get::get,
        folders::messages::messages,
        account::get::get,
        account::delete::delete,
        account::delete_token::delete_token,
        accounts::list::list,
        accounts::save::save,
        accounts::connect::connect,
        accounts::get::get,
        accounts::delete::delete,
        auth::authorize::authorize,
        auth::callback::callback,
        auth::token::post,
        auth::token::get,
        push::push,
        service::health::health,
        service::ready::ready,
    ),
    components(schemas(ApiRequestFailed, BodyType, ServiceKey)),
    tags(
        (name = "sync", description = "The change feed"),
        (name = "messages", description = "Reading and changing messages"),
        (name = "sending", description = "Sending and answering messages"),
        (name = "drafts", description = "Messages that are not sent yet"),
        (name = "conversations", description = "Messages that belong together"),
        (name = "folders", description = "Folders and labels"),
        (name = "account", description = "The account of the token"),
        (name = "accounts", description = "Accounts of an application"),
        (name = "auth", description = "Connecting a mailbox in the browser"),
        (name = "push", description = "Hints of providers"),
        (name = "service", description = "Health")
    ),
    modifiers(&Security)
)]
struct Document;

/// How callers sign in. Endpoints that differ say so themselves.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut add = |name: &str, scheme| {
            components.add_security_scheme(name, scheme);
        };
        add(
            security::ACCOUNT_TOKEN,
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
        add(
            security::APP_AUTH,
            SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
        );
        add(
            security::ACCOUNT_ID_HEADER,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(
                literals::ACCOUNT_ID_HEADER,
            ))),
        );
        let none: [&str; 0] = [];
        document.security = Some(vec![
            SecurityRequirement::new(security::ACCOUNT_TOKEN, none),
            SecurityRequirement::new(security::APP_AUTH, none)
                .add(security::ACCOUNT_ID_HEADER, none),
        ]);
    }
}

/// The OpenAPI 3.1 document of the API, as indented JSON with a line break at its end. The same for
/// every process of one version.
pub fn openapi_json() -> String {
    let document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let mut document = finish::finish(document);
    // Whether the JSON library keeps an order of its own depends on what else is built with it.
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
