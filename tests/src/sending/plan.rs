//! What happens in a run, all of it drawn from a seed.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::smtp_proxy::{Deed, Moment, Place, SmtpFault};

/// By what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// SMTP, with Dovecot as the mailbox and Postfix as the server.
    Smtp,
    /// Gmail's API.
    Gmail,
    /// Microsoft Graph.
    Graph,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A message.
    Message,
    /// An answer to a message of the inbox.
    Reply,
    /// A draft that was made and changed.
    Draft,
    /// The same, at a time.
    Scheduled,
}

/// What goes wrong in between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// On the way to the SMTP server.
    Smtp(SmtpFault),
    /// At a request to the API.
    Step(StepFault),
    /// The gateway is killed this long after the call began.
    KilledAfter(Duration),
    /// The gateway is killed when the conversation with the SMTP server has come this far.
    KilledAt(Place, Moment),
    /// The gateway is killed when the API has carried out a request, before the answer is there.
    KilledOn(&'static str),
}

/// What goes wrong at the API's requests of a method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepFault {
    /// The beginning of the method's id.
    pub method: &'static str,
    /// What.
    pub kind: StepKind,
    /// How often, of all such requests.
    pub probability: f64,
}

/// The ways in which a request may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// It has no effect, and nothing is answered.
    Lost,
    /// It takes effect, and the answer ends in its middle.
    AnswerCut,
    /// It takes effect, and the answer is 503.
    FailsAfterEffect,
    /// It has no effect, and the answer is 500.
    Internal,
    /// It has no effect, and the answer is 503.
    Unavailable,
    /// It has no effect, and the answer is 429.
    TooMany,
}

/// A run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// What it is drawn from.
    pub seed: u64,
    /// By what is sent.
    pub way: Way,
    /// What is sent.
    pub what: What,
    /// Octets of an attachment, if there is one.
    pub attachment: Option<usize>,
    /// What goes wrong.
    pub trouble: Trouble,
    /// The call is made twice at the same time.
    pub twice: bool,
    /// Ids are asked for.
    pub return_ids: bool,
}

impl Plan {
    /// Draws a run.
    #[must_use]
    pub fn draw(seed: u64, way: Way) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let what = match rng.random_range(0..10) {
            0..4 => What::Message,
            4..6 => What::Reply,
            6..9 => What::Draft,
            _ => What::Scheduled,
        };
        let attachment = rng
            .random_bool(0.3)
            .then(|| rng.random_range(100_000..400_000));
        let size = attachment.map_or(1_500, |octets| octets as u64 * 4 / 3);
        let trouble = match rng.random_range(0..100) {
            0..8 => Trouble::None,
            8..20 => Trouble::KilledAfter(Duration::from_millis(rng.random_range(0..250))),
            20..35 => killed(way, what, size, &mut rng),
            _ => fault(way, what, size, &mut rng),
        };
        Self {
            seed,
            way,
            what,
            attachment,
            trouble,
            twice: rng.random_bool(0.15),
            return_ids: rng.random_bool(0.5),
        }
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            way,
            what,
            attachment,
            trouble,
            twice,
            return_ids,
        } = self;
        write!(f, "seed {seed}: {way:?} {what:?}")?;
        if let Some(octets) = attachment {
            write!(f, " of {octets} octets")?;
        }
        if *twice {
            f.write_str(" twice")?;
        }
        if *return_ids {
            f.write_str(" with ids")?;
        }
        write!(f, ", {trouble:?}")
    }
}

fn place(size: u64, rng: &mut ChaCha8Rng) -> (Place, Moment) {
    let answerable = [
        Moment::Before,
        Moment::Passed,
        Moment::Answered,
        Moment::Told,
    ];
    let moment = answerable.choose(rng).copied().unwrap_or(Moment::Before);
    match rng.random_range(0..14) {
        0 => (Place::Greeting, Moment::Before),
        1 => (Place::Ehlo, moment),
        2 => (Place::Auth, moment),
        3 => (Place::Mail, moment),
        4 => (Place::Rcpt, moment),
        5..7 => (Place::Data, moment),
        7..10 => (Place::Body(rng.random_range(0..size)), Moment::Before),
        _ => (Place::Dot, moment),
    }
}

fn killed(way: Way, what: What, size: u64, rng: &mut ChaCha8Rng) -> Trouble {
    if way == Way::Smtp {
        let (place, moment) = place(size, rng);
        return Trouble::KilledAt(place, moment);
    }
    Trouble::KilledOn(method(way, what, rng))
}

fn fault(way: Way, what: What, size: u64, rng: &mut ChaCha8Rng) -> Trouble {
    if way == Way::Smtp {
        let (place, moment) = place(size, rng);
        let short = Duration::from_millis(rng.random_range(100..1_500));
        let deed = match rng.random_range(0..8) {
            0..4 => Deed::Reset,
            4..6 => Deed::End,
            6 => Deed::Stall(short),
            _ => Deed::Pause(short),
        };
        let times = if rng.random_bool(0.8) { 1 } else { 1_000 };
        return Trouble::Smtp(SmtpFault {
            place,
            moment,
            deed,
            times,
        });
    }
    let kinds = [
        StepKind::Lost,
        StepKind::AnswerCut,
        StepKind::FailsAfterEffect,
        StepKind::Internal,
        StepKind::Unavailable,
        StepKind::TooMany,
    ];
    let probability = match rng.random_range(0..3) {
        0 => 1.0,
        1 => 0.7,
        _ => 0.4,
    };
    Trouble::Step(StepFault {
        method: method(way, what, rng),
        kind: kinds.choose(rng).copied().unwrap_or(StepKind::Lost),
        probability,
    })
}

/// A request that sending makes: the one that sends more often than others.
fn method(way: Way, what: What, rng: &mut ChaCha8Rng) -> &'static str {
    let is_draft = matches!(what, What::Draft | What::Scheduled);
    let methods: &[&str] = match (way, is_draft) {
        (Way::Gmail, true) => &[
            "gmail.users.drafts.send",
            "gmail.users.drafts.send",
            "gmail.users.drafts.get",
            "gmail.users.messages.list",
            "gmail.users.messages.get",
        ],
        (Way::Gmail, false) => &[
            "gmail.users.messages.send",
            "gmail.users.messages.send",
            "gmail.users.messages.list",
            "gmail.users.messages.get",
        ],
        (_, true) => &["messages.send", "messages.send", "messages.get"],
        (_, false) => &[
            "messages.send",
            "messages.send",
            "messages.create",
            "messages.createReply",
            "messages.get",
            "messages.update",
            "attachments.create",
        ],
    };
    methods.choose(rng).copied().unwrap_or_default()
}
