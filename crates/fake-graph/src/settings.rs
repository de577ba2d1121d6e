//! Limits, and choices that the documentation leaves open.

use std::time::Duration;

/// The API's limits and manners; the default is what is documented or observed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Requests of one application to one mailbox in [`Self::window`], each part of a batch for itself.
    pub requests_per_window: u32,
    /// The time that those are counted in.
    pub window: Duration,
    /// Requests of one application to one mailbox at the same time; more are refused.
    pub concurrent_requests: u32,
    /// Whether one too many is a violation too.
    pub concurrency_is_violation: bool,
    /// How many parts of a batch run at the same time, unless they depend on each other.
    pub batch_width: u32,
    /// Whether requests that take or give ids of messages must ask for immutable ids. Without that header the request is
    /// still answered, with ids that change at the next move.
    pub immutable_ids_required: bool,
    /// The largest body of a request in octets.
    pub body_limit: usize,
    /// Items of a page of a list without `$top`.
    pub list_page: usize,
    /// Items of a page of a delta without `Prefer: odata.maxpagesize`.
    pub delta_page: usize,
    /// Items of a page of a delta at most, whatever was asked.
    pub largest_delta_page: usize,
    /// A delta round that tells anything ends with a page of its own, which is empty.
    pub empty_last_delta_page: bool,
    /// Messages that a delta with `$filter` gives at most in its first round.
    pub filtered_delta: usize,
    /// Messages that `$search` finds at most.
    pub search_results: usize,
    /// How far in the future a subscription may end.
    pub longest_subscription: Duration,
    /// Ends nearer than this are put off to it.
    pub shortest_subscription: Duration,
    /// How long a notification URL may take to answer the validation.
    pub validation_timeout: Duration,
    /// Bodies that are plain text alone are given as text, unless HTML is asked for; otherwise all are HTML by default.
    pub plain_bodies_as_text: bool,
    /// `$value` of a message that came in as MIME is not what came in, octet by octet: its header is written anew.
    pub reserialised_mime: bool,
    /// What `DELETE` of a folder does.
    pub deleted_folders: DeletedFolders,
    /// A message that left Deleted Items is still found by its immutable id, in `recoverableitemsdeletions`.
    pub readable_after_deletion: bool,
    /// Whether messages can be deleted for good; not so in national clouds.
    pub permanent_delete: bool,
    /// The reason of `@removed` in deltas of messages.
    pub removed_reason: &'static str,
    /// A sent message gets another `Message-ID`.
    pub replaced_message_id: bool,
    /// Octets of a file that an upload session takes at most.
    pub largest_upload: u64,
    /// Octets of a file that is put in with one request at most.
    pub largest_attachment: usize,
    /// How long an upload session lasts.
    pub upload_lifetime: Duration,
    /// Recipients of a message at most.
    pub recipients: usize,
}

/// What becomes of a folder that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedFolders {
    /// It goes into Deleted Items, where deleting it again ends it.
    Moved,
    /// It is gone with everything in it.
    Gone,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self {
            requests_per_window: 10_000,
            window: Duration::from_secs(10 * MINUTE),
            concurrent_requests: 4,
            concurrency_is_violation: true,
            batch_width: 4,
            immutable_ids_required: true,
            body_limit: 4 << 20,
            list_page: 10,
            delta_page: 10,
            largest_delta_page: 1000,
            empty_last_delta_page: false,
            filtered_delta: 5000,
            search_results: 1000,
            longest_subscription: Duration::from_secs(10_080 * MINUTE),
            shortest_subscription: Duration::from_secs(45 * MINUTE),
            validation_timeout: Duration::from_secs(10),
            plain_bodies_as_text: false,
            reserialised_mime: false,
            deleted_folders: DeletedFolders::Moved,
            readable_after_deletion: false,
            permanent_delete: true,
            removed_reason: "deleted",
            replaced_message_id: false,
            largest_upload: 150 << 20,
            largest_attachment: 3 << 20,
            upload_lifetime: Duration::from_secs(60 * MINUTE),
            recipients: 500,
        }
    }
}
