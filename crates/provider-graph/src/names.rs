//! The API's resources by the client library's names for them. The library makes addresses and sends nothing.

use std::sync::LazyLock;

use graph_rs_sdk::GraphClient;
use url::Url;

use crate::{
    address::Address,
    ids::{AttachmentId, FolderId, ItemId, SubscriptionId},
};

/// Makes addresses. It has a connection pool of its own, which is never used.
static LIBRARY: LazyLock<GraphClient> = LazyLock::new(|| GraphClient::new(""));

/// What the library puts before every resource.
const BEFORE: &str = "/v1.0/";

/// A request that the library would send gives its address away.
fn address(mut named: impl AsMut<Url>) -> Address {
    let url = named.as_mut();
    Address::of(url.path().strip_prefix(BEFORE).unwrap_or_default())
}

/// The signed-in user.
pub(crate) fn me() -> Address {
    address(LIBRARY.me().get_user())
}

/// Many requests in one.
pub(crate) fn batch() -> Address {
    address(LIBRARY.batch(&""))
}

/// The folders at the top.
pub(crate) fn folders() -> Address {
    address(LIBRARY.me().mail_folders().list_mail_folders())
}

/// A folder.
pub(crate) fn folder(id: &FolderId) -> Address {
    address(LIBRARY.me().mail_folder(id.as_str()).get_mail_folders())
}

/// The folders in a folder.
pub(crate) fn child_folders(id: &FolderId) -> Address {
    let folder = LIBRARY.me().mail_folder(id.as_str());
    address(folder.child_folders().list_child_folders())
}

/// The messages of all folders.
pub(crate) fn messages() -> Address {
    address(LIBRARY.me().messages().list_messages())
}

/// The messages of a folder.
pub(crate) fn folder_messages(id: &FolderId) -> Address {
    let folder = LIBRARY.me().mail_folder(id.as_str());
    address(folder.messages().list_messages())
}

/// The messages of a folder, as a feed.
pub(crate) fn messages_delta(id: &FolderId) -> Address {
    let folder = LIBRARY.me().mail_folder(id.as_str());
    address(folder.messages().delta())
}

/// A message.
pub(crate) fn message(id: &ItemId) -> Address {
    address(LIBRARY.me().message(id.as_str()).get_messages())
}

/// A message's bytes.
pub(crate) fn message_bytes(id: &ItemId) -> Address {
    address(LIBRARY.me().message(id.as_str()).get_messages_content())
}

/// The moving of a message.
pub(crate) fn message_move(id: &ItemId) -> Address {
    address(LIBRARY.me().message(id.as_str()).move_message(&""))
}

/// The end of a message. The library is older than it.
pub(crate) fn message_end(id: &ItemId) -> Address {
    let message = LIBRARY.me().message(id.as_str()).get_messages();
    address(message.extend_path(&["permanentDelete"]))
}

/// The sending of a draft.
pub(crate) fn message_send(id: &ItemId) -> Address {
    address(LIBRARY.me().message(id.as_str()).send())
}

/// A draft that answers a message.
pub(crate) fn reply(id: &ItemId) -> Address {
    address(LIBRARY.me().message(id.as_str()).create_reply(&""))
}

/// A message's attachments.
pub(crate) fn attachments(id: &ItemId) -> Address {
    let message = LIBRARY.me().message(id.as_str());
    address(message.attachments().list_attachments())
}

/// An attachment.
pub(crate) fn attachment(id: &ItemId, attachment: &AttachmentId) -> Address {
    let message = LIBRARY.me().message(id.as_str());
    address(message.attachment(attachment.as_str()).get_attachments())
}

/// Uploads of a message's attachments.
pub(crate) fn uploads(id: &ItemId) -> Address {
    let message = LIBRARY.me().message(id.as_str());
    address(message.attachments().create_upload_session(&""))
}

/// An attachment's bytes.
pub(crate) fn attachment_bytes(id: &ItemId, attachment: &AttachmentId) -> Address {
    let message = LIBRARY.me().message(id.as_str());
    let attachment = message.attachment(attachment.as_str());
    address(attachment.get_attachments_content())
}

/// The subscriptions of this client for the user.
pub(crate) fn subscriptions() -> Address {
    address(LIBRARY.subscriptions().list_subscription())
}

/// A subscription.
pub(crate) fn subscription(id: &SubscriptionId) -> Address {
    address(LIBRARY.subscription(id.as_str()).get_subscription())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_the_addresses_that_are_documented() {
        let item = ItemId::parse("AAMk_-+=").unwrap();
        let folder = FolderId::parse("AQMk=").unwrap();
        let attachment = AttachmentId::parse("ATT=").unwrap();
        let subscription = SubscriptionId::parse("7f105c7d-2dc5-4530-97cd-4e7ae6534c07").unwrap();
        for (address, documented) in [
            (me(), "me"),
            (batch(), "$batch"),
            (folders(), "me/mailFolders"),
            (super::folder(&folder), "me/mailFolders/AQMk="),
            (child_folders(&folder), "me/mailFolders/AQMk=/childFolders"),
            (messages(), "me/messages"),
            (folder_messages(&folder), "me/mailFolders/AQMk=/messages"),
            (
                messages_delta(&folder),
                "me/mailFolders/AQMk=/messages/delta()",
            ),
            (message(&item), "me/messages/AAMk_-+="),
            (message_bytes(&item), "me/messages/AAMk_-+=/$value"),
            (message_move(&item), "me/messages/AAMk_-+=/move"),
            (message_end(&item), "me/messages/AAMk_-+=/permanentDelete"),
            (message_send(&item), "me/messages/AAMk_-+=/send"),
            (reply(&item), "me/messages/AAMk_-+=/createReply"),
            (
                super::attachment(&item, &attachment),
                "me/messages/AAMk_-+=/attachments/ATT=",
            ),
            (
                uploads(&item),
                "me/messages/AAMk_-+=/attachments/createUploadSession",
            ),
            (attachments(&item), "me/messages/AAMk_-+=/attachments"),
            (
                attachment_bytes(&item, &attachment),
                "me/messages/AAMk_-+=/attachments/ATT=/$value",
            ),
            (subscriptions(), "subscriptions"),
            (
                super::subscription(&subscription),
                "subscriptions/7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
            ),
        ] {
            assert_eq!(address.as_str(), documented);
        }
    }
}
