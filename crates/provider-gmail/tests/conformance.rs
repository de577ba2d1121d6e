//! The behaviour suite on a server that answers as Gmail does, calm and with each of its faults.

mod support;

use provider_conformance::provider_conformance;
use support::GmailHarness;

mod calm {
    use super::*;
    provider_conformance!(GmailHarness::start(|_| {}).await);
}
