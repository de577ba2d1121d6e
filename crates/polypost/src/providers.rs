//! The backends of this gateway: one line each.

use email_provider::ProviderRegistry;
use provider_gmail::GmailPlugin;
use provider_graph::GraphPlugin;
use provider_imap::ImapPlugin;

/// All of them.
pub fn registry() -> ProviderRegistry {
    ProviderRegistry::default()
        .register(ImapPlugin)
        .register(GmailPlugin::default())
        .register(GraphPlugin::default())
}
