//! What a refusal means: by its code, its enhanced code (RFC 3463), and the words of well-known servers.

use std::time::Duration;

use email_provider::ErrorKind;

use super::{error::Stage, reply::Reply};

/// After how long a recipient who was put off is worth another attempt: servers that greylist (RFC 6647) mostly wait
/// for five minutes.
const PUT_OFF: Duration = Duration::from_secs(300);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn refusal_kind(stage: Stage, reply: &Reply) -> ErrorKind {
    if is_throttle(reply) {
        return ErrorKind::RateLimited;
    }
    if reply.is_passing() {
        return ErrorKind::Unavailable;
    }
    // RFC 4954 section 6: 530 and 5.7.0 ask for a sign-in, 534 and 538 for another mechanism.
    if matches!(reply.code(), 530 | 534 | 535 | 538) {
        return ErrorKind::Forbidden;
    }
    match stage {
        // 552 and 5.3.4 are about size, whatever the stage (RFC 1870 section 6).
        _ if reply.code() == 552 || reply.enhanced() == Some((3, 4)) => ErrorKind::Invalid,
        Stage::Greeting | Stage::Session | Stage::SignIn => ErrorKind::Unavailable,
        Stage::Sender
            if matches!(reply.code(), 550 | 553) || matches!(reply.enhanced(), Some((7, _))) =>
        {
            ErrorKind::Forbidden
        }
        // Exchange says only in the end that the sender may not.
        Stage::Message if says(reply, &["sendasdenied", "send as this sender"]) => {
            ErrorKind::Forbidden
        }
        Stage::Sender | Stage::Recipient | Stage::Data | Stage::Message => ErrorKind::Invalid,
    }
}

/// Whether the server asks to send less or more slowly. Some say so as if for good: Gmail's "550 5.4.5 Daily user
/// sending limit exceeded".
fn is_throttle(reply: &Reply) -> bool {
    !reply.is_success()
        && says(
            reply,
            &[
                "too many",
                "too much mail",
                "rate limit",
                "ratelimit",
                "limit exceeded",
                "quota exceeded",
                "submissionquotaexceeded",
                "throttl",
                "slow down",
                "sending limit",
            ],
        )
}

fn says(reply: &Reply, words: &[&str]) -> bool {
    let text = reply.to_string().to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// How long the server asks to wait, or what is usual.
pub(super) fn retry_after(stage: Stage, reply: &Reply) -> Option<Duration> {
    match refusal_kind(stage, reply) {
        ErrorKind::RateLimited | ErrorKind::Unavailable if reply.is_passing() => {
            Some(named_wait(&reply.to_string()).unwrap_or(PUT_OFF))
        }
        ErrorKind::RateLimited => named_wait(&reply.to_string()),
        _ => None,
    }
}

/// "try again in 300 seconds", "in 5 minutes". At most a day.
fn named_wait(text: &str) -> Option<Duration> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let [amount, unit] = pair else { return None };
        let amount: u64 = amount.parse().ok()?;
        let unit = unit.to_ascii_lowercase();
        let seconds = match () {
            () if unit.starts_with("sec") => 1,
            () if unit.starts_with("min") => 60,
            () if unit.starts_with("hour") => 3600,
            () => return None,
        };
        Some(Duration::from_secs(amount.saturating_mul(seconds)).min(LONGEST_WAIT))
    })
}
